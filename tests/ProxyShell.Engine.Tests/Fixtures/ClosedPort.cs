using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fixtures;

internal static class ClosedPort
{
    /// <summary>A port of loopback at which nobody listens.</summary>
    public static int Find()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
