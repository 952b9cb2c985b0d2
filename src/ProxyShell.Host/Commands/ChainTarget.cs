using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Host.Commands;

/// <summary>A chain, what lies behind it, and how long getting there may take.</summary>
internal sealed record ChainTarget(ProxyChain Chain, HostEndpoint? Destination, TimeSpan ConnectTimeout);
