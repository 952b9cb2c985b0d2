namespace ProxyShell.Engine.Tests.Transport;

/// <summary>.NET's sockets.</summary>
public sealed class PortableDatagramTests() : DatagramContract(Sockets.Portable);
