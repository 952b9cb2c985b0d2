using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A listener whose backlog is full: Linux drops further SYNs, so that connecting waits.</summary>
internal sealed class DeafListener : IDisposable
{
    private readonly Socket _listener = New();
    private readonly Socket[] _waiting = [New(), New(), New(), New()];

    public DeafListener()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        foreach (Socket socket in _waiting) _ = ConnectAsync(socket);
    }

    public IPEndPoint EndPoint { get; }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (Socket socket in _waiting) socket.Dispose();
    }

    private static Socket New() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private async Task ConnectAsync(Socket socket)
    {
        try
        {
            await socket.ConnectAsync(EndPoint);
        }
        catch (SocketException)
        {
            // it only had to knock
        }
    }
}
