using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Native;

/// <summary>Plain TCP and UDP descriptors on 127.0.0.1.</summary>
internal static unsafe class LoopbackSocket
{
    private const int Backlog = 4096;
    private const int LargeReceiveBuffer = 4 * 1024 * 1024;
    private const uint Loopback = 0x7F000001;

    internal static int Listen(int port)
    {
        int fd = Open(blocking: true);
        int on = 1;
        Libc.SetSocketOption(fd, Libc.SocketLevel, Libc.ReuseAddress, &on, sizeof(int));
        Libc.InternetAddress address = Address(port);
        NativeError.ThrowIfFailed(Libc.Bind(fd, &address, sizeof(Libc.InternetAddress)), "bind");
        NativeError.ThrowIfFailed(Libc.Listen(fd, Backlog), "listen");
        return fd;
    }

    internal static int Connect(int port)
    {
        int fd = Open(blocking: true);
        Libc.InternetAddress address = Address(port);
        if (Libc.Connect(fd, &address, sizeof(Libc.InternetAddress)) < 0)
            CloseAndThrow(fd, "connect");
        return fd;
    }

    /// <summary>Starts a connection without waiting; over loopback it is usually complete when this returns.</summary>
    /// <param name="port">The port to connect to.</param>
    /// <param name="source">Chooses the client's address: 127.0.0.1 + this number.</param>
    internal static int BeginConnect(int port, int source)
    {
        int fd = Open(blocking: false);
        int on = 1;
        Libc.SetSocketOption(fd, Libc.InternetLevel, Libc.BindAddressNoPort, &on, sizeof(int));
        Libc.InternetAddress own = Address(0, Loopback + (uint)source);
        NativeError.ThrowIfFailed(Libc.Bind(fd, &own, sizeof(Libc.InternetAddress)), "bind");
        Libc.InternetAddress address = Address(port);
        if (Libc.Connect(fd, &address, sizeof(Libc.InternetAddress)) < 0
            && Marshal.GetLastPInvokeError() != Libc.ErrorInProgress)
            CloseAndThrow(fd, "connect");
        return fd;
    }

    /// <summary>Lets a connection send as fast as it is read: a system that prefers BBR would pace it.</summary>
    internal static void Unpace(int fd)
    {
        ReadOnlySpan<byte> reno = "reno"u8; // every kernel has it
        fixed (byte* name = reno)
            NativeError.ThrowIfFailed(Libc.SetSocketOption(fd, Libc.TcpLevel, Libc.TcpCongestion, name, reno.Length), "setsockopt(TCP_CONGESTION)");
    }

    /// <summary>A blocking UDP socket on the port, with the largest receive buffer that the system allows.</summary>
    internal static int BindDatagrams(int port)
    {
        int fd = Open(blocking: true, Libc.DatagramSocket);
        SetReceiveBuffer(fd);
        Libc.InternetAddress address = Address(port);
        NativeError.ThrowIfFailed(Libc.Bind(fd, &address, sizeof(Libc.InternetAddress)), "bind");
        return fd;
    }

    /// <summary>A UDP socket that sends to the port and hears from nobody else.</summary>
    internal static int ConnectDatagrams(int port)
    {
        int fd = Open(blocking: true, Libc.DatagramSocket);
        SetReceiveBuffer(fd);
        Libc.InternetAddress address = Address(port);
        if (Libc.Connect(fd, &address, sizeof(Libc.InternetAddress)) < 0)
            CloseAndThrow(fd, "connect");
        return fd;
    }

    internal static void SetReceiveTimeout(int fd, TimeSpan timeout)
    {
        var value = new Libc.TimeValue { Seconds = (long)timeout.TotalSeconds, Fraction = timeout.Microseconds + (1000 * timeout.Milliseconds) };
        Libc.SetSocketOption(fd, Libc.SocketLevel, Libc.ReceiveTimeout, &value, sizeof(Libc.TimeValue));
    }

    private static void SetReceiveBuffer(int fd)
    {
        int size = LargeReceiveBuffer;
        Libc.SetSocketOption(fd, Libc.SocketLevel, Libc.ReceiveBuffer, &size, sizeof(int));
    }

    private static int Open(bool blocking, int kind = Libc.StreamSocket)
    {
        int type = kind | Libc.CloseOnExec | (blocking ? 0 : Libc.NonBlocking);
        return NativeError.ThrowIfFailed(Libc.Socket(Libc.AddressFamilyInternet, type, 0), "socket");
    }

    private static void CloseAndThrow(int fd, string call)
    {
        int error = Marshal.GetLastPInvokeError();
        Libc.Close(fd);
        Marshal.SetLastPInvokeError(error);
        NativeError.ThrowIfFailed(-1, call);
    }

    private static Libc.InternetAddress Address(int port, uint host = Loopback) => new()
    {
        Family = Libc.AddressFamilyInternet,
        PortBigEndian = BinaryPrimitives.ReverseEndianness((ushort)port),
        AddressBigEndian = BinaryPrimitives.ReverseEndianness(host),
    };
}
