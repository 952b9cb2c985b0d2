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
            if (endpoint is IPEndPoint) socket.NoDelay = true;
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            return new PortableConnection(socket);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw SocketErrors.Dial(e);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    public override ConnectionListener Listen(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
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
}
