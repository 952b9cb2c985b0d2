using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>What tells the flows of relayed datagrams apart: who sends, and the nonce of the request.</summary>
internal readonly record struct RelayFlowKey(DatagramPeer Client, UInt128 Nonce);
