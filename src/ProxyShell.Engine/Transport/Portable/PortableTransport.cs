using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Transport.Portable;

/// <summary>Sockets of .NET, on any platform.</summary>
internal sealed class PortableTransport : SocketTransport
{
    public override async ValueTask<DuplexConnection> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            if (endpoint is IPEndPoint) Tune(socket);
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            return new PortableConnection(socket);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            // a Unix socket that is not there is one that nobody listens on; .NET calls it an unavailable address
            bool missing = e.SocketErrorCode == SocketError.AddressNotAvailable && endpoint is UnixDomainSocketEndPoint;
            throw SocketErrors.Dial(missing ? new SocketException((int)SocketError.ConnectionRefused) : e);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Small writes go at once, and a peer that vanished is noticed in the end.</summary>
    public static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
    }

    public override ConnectionListener Listen(EndPoint endpoint)
    {
        // .NET lets a port be used again whose connections are still in TIME_WAIT only when it is told that this is TCP
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, endpoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows()) socket.ExclusiveAddressUse = true;
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen(512);
            return new PortableListener(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw SocketErrors.Listen(e, endpoint);
        }
    }

    public override DatagramSocket BindDatagrams(IPEndPoint endpoint, int maxLength)
    {
        Socket socket = OpenDatagrams(endpoint);
        try
        {
            if (OperatingSystem.IsWindows()) socket.ExclusiveAddressUse = true;
            if (endpoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endpoint);
            return new PortableDatagramSocket(socket, null, maxLength);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw SocketErrors.ListenDatagrams(e, endpoint);
        }
    }

    public override DatagramSocket ConnectDatagrams(IPEndPoint endpoint, DatagramSocket? beside)
    {
        Socket? socket = null;
        try
        {
            socket = OpenDatagrams(endpoint);
            socket.Connect(endpoint);
            return new PortableDatagramSocket(socket, endpoint, DatagramSocket.MaxLength);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw SocketErrors.Dial(e);
        }
    }

    private static Socket OpenDatagrams(IPEndPoint endpoint) => new(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
    {
        ReceiveBufferSize = DatagramSocket.BufferSize,
        SendBufferSize = DatagramSocket.BufferSize,
    };
}
