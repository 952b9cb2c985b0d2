using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;
using ProxyShell.Engine.Transport.Portable;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>Both kinds of sockets, by name, for suites that run over each.</summary>
public static class Sockets
{
    public const string Linux = "linux";
    public const string Portable = "portable";

    public static IEnumerable<string> Kinds => OperatingSystem.IsLinux() && LinuxTransport.IsSupported ? [Linux, Portable] : [Portable];

    public static TheoryData<string> All => new(Kinds);

    internal static SocketTransport Of(string kind) => kind == Linux ? LinuxHeld.Value : PortableHeld;

    private static readonly Lazy<LinuxTransport> LinuxHeld = new(() => new LinuxTransport());
    private static readonly PortableTransport PortableHeld = new();
}
