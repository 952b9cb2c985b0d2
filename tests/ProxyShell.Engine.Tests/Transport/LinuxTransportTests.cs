using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>The engine's own sockets; on other systems this suite runs over the portable ones once more.</summary>
public sealed class LinuxTransportTests() : TransportContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable);
