using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A UDP server on loopback that does one thing with every datagram; independent of the engine's own sockets.</summary>
internal sealed class DatagramOrigin : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
    private readonly Task _loop;
    private int _received;

    private DatagramOrigin(Func<byte[], byte[]?> answer)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        _loop = Task.Run(() => ServeAsync(answer));
    }

    public int Port { get; }

    public int Received => Volatile.Read(ref _received);

    public HostEndpoint Endpoint => new("127.0.0.1", Port);

    /// <summary>Sends back what comes.</summary>
    public static DatagramOrigin Echo() => new(bytes => bytes);

    /// <summary>Takes what comes and says nothing.</summary>
    public static DatagramOrigin Silent() => new(_ => null);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _loop.Within();
    }

    private async Task ServeAsync(Func<byte[], byte[]?> answer)
    {
        var buffer = new byte[65536];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        try
        {
            while (true)
            {
                int count = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from);
                Interlocked.Increment(ref _received);
                if (answer(buffer[..count]) is { } bytes) await _socket.SendToAsync(bytes, SocketFlags.None, from);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed
        }
    }
}
