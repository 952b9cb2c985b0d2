using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>A request of either version.</summary>
internal readonly record struct SocksRequest(byte Version, SocksCommand Command, HostEndpoint Address);
