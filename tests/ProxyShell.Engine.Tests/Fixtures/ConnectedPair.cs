using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A listener of one kind of sockets, and connections to it with both of their ends.</summary>
internal sealed class ConnectedPair : IAsyncDisposable
{
    private readonly SocketTransport _sockets;
    private readonly ConnectionListener _listener;
    private readonly Channel<DuplexConnection> _accepted = Channel.CreateUnbounded<DuplexConnection>();
    private readonly List<DuplexConnection> _connections = [];
    private readonly List<Exception> _trouble = [];

    public ConnectedPair(string sockets, EndPoint endpoint)
    {
        _sockets = Sockets.Of(sockets);
        _listener = _sockets.Listen(endpoint);
        _listener.Start(c => _accepted.Writer.TryWrite(c), e =>
        {
            lock (_trouble) _trouble.Add(e);
        });
    }

    public ConnectedPair(string sockets)
        : this(sockets, new IPEndPoint(IPAddress.Loopback, 0))
    {
    }

    public EndPoint EndPoint => _listener.LocalEndPoint;

    /// <summary>Connects; both ends are closed with the pair.</summary>
    public async Task<(DuplexConnection Near, DuplexConnection Far)> ConnectAsync()
    {
        DuplexConnection near = await _sockets.ConnectAsync(EndPoint, CancellationToken.None).Within();
        _connections.Add(near);
        DuplexConnection far = await AcceptAsync();
        return (near, far);
    }

    public async Task<DuplexConnection> AcceptAsync()
    {
        DuplexConnection far = await _accepted.Reader.ReadAsync().Within();
        _connections.Add(far);
        return far;
    }

    /// <summary>Writes until the connection takes no more; returns the write that waits.</summary>
    public static async Task<Task> FillAsync(DuplexConnection connection, CancellationToken cancellationToken = default)
    {
        byte[] block = RandomBytes.Of(1 << 20);
        while (true)
        {
            Task write = connection.WriteAsync(block, cancellationToken).AsTask();
            // loopback buffers hold a few megabytes: a write that has not ended by then is waiting for the reader
            if (await Task.WhenAny(write, Task.Delay(200, CancellationToken.None)) != write) return write;
            await write;
        }
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public static async Task<byte[]> ReadAsync(DuplexConnection connection, int length)
    {
        var bytes = new byte[length];
        for (int read = 0; read < length;)
        {
            int count = await connection.ReadAsync(bytes.AsMemory(read), CancellationToken.None).Within();
            Assert.True(count > 0, $"the stream ended after {read} of {length} bytes");
            read += count;
        }
        return bytes;
    }

    /// <summary>Reads to the end of the stream.</summary>
    public static async Task<byte[]> ReadToEndAsync(DuplexConnection connection)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await connection.ReadAsync(buffer, CancellationToken.None).Within()) > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        foreach (DuplexConnection connection in _connections) await connection.DisposeAsync();
        while (_accepted.Reader.TryRead(out DuplexConnection? left)) await left.DisposeAsync();
        if (EndPoint is UnixDomainSocketEndPoint) File.Delete(EndPoint.ToString()!);
        Assert.Empty(_trouble);
    }
}
