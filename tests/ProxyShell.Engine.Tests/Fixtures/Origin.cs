using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A TCP server on loopback that does one thing with every connection; independent of the engine's own transport.</summary>
internal sealed class Origin : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<Socket, Task> _serve;
    private readonly Task _loop;
    private int _accepted;

    private Origin(Func<Socket, Task> serve)
    {
        _serve = serve;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1024);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _loop = AcceptAsync();
    }

    public int Port { get; }

    public int Accepted => Volatile.Read(ref _accepted);

    public HostEndpoint Endpoint => new("127.0.0.1", Port);

    /// <summary>Sends back what comes until the client ends, then ends too.</summary>
    public static Origin Echo() => new(async socket =>
    {
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await socket.ReceiveAsync(buffer)) > 0) await SendAllAsync(socket, buffer.AsMemory(0, count));
        socket.Shutdown(SocketShutdown.Send);
    });

    /// <summary>Reads to the client's end, only then sends the bytes, and ends.</summary>
    public static Origin AnswerAfterEnd(byte[] answer) => new(async socket =>
    {
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer) > 0)
        {
        }
        await SendAllAsync(socket, answer);
        socket.Shutdown(SocketShutdown.Send);
    });

    public static Origin Of(Func<Socket, Task> serve) => new(serve);

    public static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _loop.Within();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync();
                socket.NoDelay = true;
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await _serve(socket);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // the client went away; tests look at the client's side
            }
        }
    }
}
