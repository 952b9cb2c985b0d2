using System.Net;

namespace ProxyShell.Engine.Transport;

/// <summary>Makes socket connections and listeners; one implementation for every platform and a faster one for Linux.</summary>
internal abstract class SocketTransport
{
    /// <summary>The one this process uses: the Linux one where it runs, unless <c>PROXYSHELL_TRANSPORT=portable</c>.</summary>
    public static SocketTransport Default { get; } = Choose();

    /// <summary>Connects to one address; failures are <see cref="Diagnostics.ProxyException"/>s that name no subject.</summary>
    public abstract ValueTask<DuplexConnection> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken);

    /// <summary>Binds and listens; failures are <see cref="Diagnostics.ProxyException"/>s that name the address.</summary>
    public abstract ConnectionListener Listen(EndPoint endpoint);

    /// <summary>
    /// Binds a UDP socket; datagrams longer than <paramref name="maxLength"/> are dropped. Failures are
    /// <see cref="Diagnostics.ProxyException"/>s that name the address.
    /// </summary>
    public abstract DatagramSocket BindDatagrams(IPEndPoint endpoint, int maxLength = DatagramSocket.MaxLength);

    /// <summary>
    /// Makes a UDP socket that speaks with one address only and is told when nobody listens there. It is served where
    /// <paramref name="beside"/> is, so that what passes between the two changes no threads. Failures are
    /// <see cref="Diagnostics.ProxyException"/>s that name no subject.
    /// </summary>
    public abstract DatagramSocket ConnectDatagrams(IPEndPoint endpoint, DatagramSocket? beside);

    private static SocketTransport Choose()
    {
        bool portable = Environment.GetEnvironmentVariable("PROXYSHELL_TRANSPORT") == "portable";
        return !portable && OperatingSystem.IsLinux() && Linux.LinuxTransport.IsSupported
            ? new Linux.LinuxTransport()
            : new Portable.PortableTransport();
    }
}
