using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Tests.Relaying;

/// <summary>The splicing relay on the engine's own loops; on other systems this suite runs over the portable sockets once more.</summary>
public sealed class SocketRelayTests() : RelayContract(OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? Sockets.Linux : Sockets.Portable);
