using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A listener whose backlog is full: Linux drops further SYNs, so that connecting waits.</summary>
internal static class DeafListener
{
    public static Socket Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(0);
        for (int i = 0; i < 4; i++) _ = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).ConnectAsync(socket.LocalEndPoint!);
        return socket;
    }
}
