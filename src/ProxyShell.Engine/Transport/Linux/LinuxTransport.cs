using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Sockets on the engine's own epoll loops.</summary>
internal sealed class LinuxTransport : SocketTransport
{
    private const int Backlog = 4096;

    private static readonly TimeSpan UnixBacklogRetry = TimeSpan.FromMilliseconds(5);

    /// <summary>Whether the constants in <see cref="Libc"/> hold on this machine.</summary>
    public static bool IsSupported => RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public override async ValueTask<DuplexConnection> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                (LinuxConnection? connection, bool pending) = Begin(endpoint);
                if (connection is null)
                {
                    // a Unix listener's backlog is full: unlike TCP the kernel does not wait for us
                    await Task.Delay(UnixBacklogRetry, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                if (pending) await FinishAsync(connection, cancellationToken).ConfigureAwait(false);
                return connection;
            }
        }
        catch (SocketException e)
        {
            throw SocketErrors.Dial(e);
        }
    }

    public override unsafe ConnectionListener Listen(EndPoint endpoint)
    {
        SocketDescriptor? socket = null;
        try
        {
            socket = SocketDescriptor.Open(NativeAddress.Family(endpoint));
            if (endpoint is IPEndPoint)
            {
                Check(socket.Set(Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1));
                // accepted sockets inherit these
                Check(socket.Set(Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1));
                Check(socket.Set(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1));
            }
            if (endpoint is IPEndPoint { Address: var ip } && ip.Equals(IPAddress.IPv6Any)) Check(socket.Set(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 0));
            SocketAddress native = endpoint.Serialize();
            fixed (byte* address = native.Buffer.Span) Check(Libc.Bind(socket, address, (uint)native.Size));
            Check(Libc.Listen(socket, Backlog));
            return new LinuxListener(socket, endpoint is IPEndPoint ? NativeAddress.Local(socket)! : endpoint);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw SocketErrors.Listen(e, endpoint);
        }
    }

    public override unsafe DatagramSocket BindDatagrams(IPEndPoint endpoint, int maxLength)
    {
        SocketDescriptor? socket = null;
        try
        {
            socket = OpenDatagrams(endpoint);
            if (endpoint.Address.Equals(IPAddress.IPv6Any)) Check(socket.Set(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 0));
            SocketAddress native = endpoint.Serialize();
            fixed (byte* address = native.Buffer.Span) Check(Libc.Bind(socket, address, (uint)native.Size));
            return new LinuxDatagramSocket(socket, NativeAddress.Family(endpoint), EpollLoops.Next(), null, maxLength);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw SocketErrors.ListenDatagrams(e, endpoint);
        }
    }

    public override unsafe DatagramSocket ConnectDatagrams(IPEndPoint endpoint, DatagramSocket? beside)
    {
        SocketDescriptor? socket = null;
        try
        {
            socket = OpenDatagrams(endpoint);
            SocketAddress native = endpoint.Serialize();
            fixed (byte* address = native.Buffer.Span) Check(Libc.Connect(socket, address, (uint)native.Size));
            EpollLoop loop = (beside as LinuxDatagramSocket)?.Loop ?? EpollLoop.Current ?? EpollLoops.Next();
            return new LinuxDatagramSocket(socket, NativeAddress.Family(endpoint), loop, endpoint, DatagramSocket.MaxLength);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw SocketErrors.Dial(e);
        }
    }

    private static SocketDescriptor OpenDatagrams(IPEndPoint endpoint)
    {
        SocketDescriptor socket = SocketDescriptor.Open(NativeAddress.Family(endpoint), Libc.SOCK_DGRAM_NONBLOCK_CLOEXEC);
        // the system gives what its limits allow
        _ = socket.Set(Libc.SOL_SOCKET, Libc.SO_RCVBUF, DatagramSocket.BufferSize);
        _ = socket.Set(Libc.SOL_SOCKET, Libc.SO_SNDBUF, DatagramSocket.BufferSize);
        return socket;
    }

    private static (LinuxConnection? Connection, bool Pending) Begin(EndPoint endpoint)
    {
        SocketDescriptor socket = SocketDescriptor.Open(NativeAddress.Family(endpoint));
        bool isLocal = endpoint is not IPEndPoint { Address: var ip } || IPAddress.IsLoopback(ip);
        if (endpoint is IPEndPoint) socket.Set(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        // a peer on this machine cannot vanish without the kernel telling
        if (!isLocal) socket.Set(Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
        SocketAddress native = endpoint.Serialize();
        int errno = Connect(socket, native);
        // within the machine the handshake is over by now; asking once more tells so, without a wait for the loop. A caller in the pool waits: were its dials over at
        // once, one that dials again and again would never give its thread back
        if (errno == Libc.EINPROGRESS && isLocal && EpollLoop.Current is not null) errno = Connect(socket, native);
        if (errno is 0 or Libc.EINPROGRESS or Libc.EALREADY) return (Adopt(socket, endpoint), errno != 0);
        socket.Dispose();
        return errno == Libc.EAGAIN && endpoint is UnixDomainSocketEndPoint ? (null, false) : throw Errno.Exception(errno);
    }

    private static unsafe int Connect(SocketDescriptor socket, SocketAddress to)
    {
        fixed (byte* address = to.Buffer.Span) return Libc.Connect(socket, address, (uint)to.Size) == 0 ? 0 : Libc.LastError;
    }

    // code that runs on a loop is the engine's own; it stays there, so that both ends of a relay meet without moving
    private static LinuxConnection Adopt(SocketDescriptor socket, EndPoint endpoint)
    {
        var connection = new LinuxConnection(socket, EpollLoop.Current ?? EpollLoops.Next(), endpoint) { ContinuesOnLoop = EpollLoop.Current is not null };
        connection.NoteSilence();
        return connection;
    }

    private static async ValueTask FinishAsync(LinuxConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.FinishConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static void Check(int result)
    {
        if (result != 0) throw Errno.Exception(Libc.LastError);
    }
}
