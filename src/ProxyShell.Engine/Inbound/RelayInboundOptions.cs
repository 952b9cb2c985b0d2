using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Inbound;

/// <summary>What the relay protocol needs to know of its server; <c>Udp</c> tells whether it carries datagrams.</summary>
internal sealed record RelayInboundOptions(IReadOnlyList<ProxyKey> Keys, IReadOnlyList<ProxyKey> PayloadKeys, ReplayWindow Replays, bool Udp);
