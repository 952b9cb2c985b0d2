namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The sockets of .NET.</summary>
public sealed class PortableTransportTests() : TransportContract(Sockets.Portable);
