using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Routing;

/// <summary>The way to one destination: the chain, and the policy that still has to agree to the destination (for a direct chain, to its addresses).</summary>
internal sealed record Route(ProxyChain Chain, DestinationPolicy Policy);
