using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Stands where a hop for datagrams should be, and answers as it likes.</summary>
internal sealed class RogueHop : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private int _received;

    public RogueHop(Func<byte[], byte[]?> answer)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = Task.Run(() => ServeAsync(answer));
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public int Received => Volatile.Read(ref _received);

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync(Func<byte[], byte[]?> answer)
    {
        var buffer = new byte[65536];
        while (true)
        {
            try
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                Interlocked.Increment(ref _received);
                if (answer(buffer[..received.ReceivedBytes]) is { } bytes) await _socket.SendToAsync(bytes, received.RemoteEndPoint);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (e.SocketErrorCode is SocketError.OperationAborted or SocketError.Interrupted) return;
            }
        }
    }
}
