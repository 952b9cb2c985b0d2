using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Bench.Peers;

/// <summary>Accepts, connects, and copies both ways with pooled buffers and zero-byte reads; knows half-close.</summary>
internal sealed class PlainAsyncRelay(int port, int destinationPort)
{
    private const int BufferSize = 64 * 1024;

    internal async Task RunAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(4096);
        while (true)
            _ = RelayAsync(await listener.AcceptAsync());
    }

    private async Task RelayAsync(Socket client)
    {
        using Socket near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            near.NoDelay = far.NoDelay = true;
            await far.ConnectAsync(new IPEndPoint(IPAddress.Loopback, destinationPort));
            await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
        }
        catch (SocketException)
        {
            // one side is gone; leaving closes both
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        while (true)
        {
            await from.ReceiveAsync(Memory<byte>.Empty);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            try
            {
                int count = await from.ReceiveAsync(buffer);
                if (count == 0)
                    break;
                await SendAllAsync(to, buffer.AsMemory(0, count));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private static async ValueTask SendAllAsync(Socket to, ReadOnlyMemory<byte> rest)
    {
        while (rest.Length > 0)
            rest = rest[await to.SendAsync(rest)..];
    }
}
