using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A plain UDP client of a listener under test.</summary>
internal sealed class DatagramClient : IDisposable
{
    public DatagramClient(int port)
    {
        Socket.Connect(IPAddress.Loopback, port);
        LocalEndPoint = (IPEndPoint)Socket.LocalEndPoint!;
    }

    public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, SendBufferSize = 4 << 20 };

    public IPEndPoint LocalEndPoint { get; }

    public void Send(ReadOnlySpan<byte> datagram) => Assert.Equal(datagram.Length, Socket.Send(datagram));

    public void Send(string text) => Send(Encoding.ASCII.GetBytes(text));

    public async Task<byte[]> ReceiveAsync(double seconds = 30)
    {
        var buffer = new byte[65536];
        int count = await Socket.ReceiveAsync(buffer).Within(seconds);
        return buffer[..count];
    }

    /// <summary>Sends, and expects the same back.</summary>
    public async Task AssertEchoAsync(byte[] datagram)
    {
        Send(datagram);
        Assert.Equal(datagram, await ReceiveAsync());
    }

    public Task AssertEchoAsync(string text) => AssertEchoAsync(Encoding.ASCII.GetBytes(text));

    public void Dispose() => Socket.Dispose();
}
