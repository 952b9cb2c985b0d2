using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A plain TCP client of a listener under test.</summary>
internal sealed class Client : IDisposable
{
    public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>Connects, from a certain address of loopback when one is given.</summary>
    public static async Task<Client> ConnectAsync(int port, IPAddress? from = null)
    {
        var client = new Client();
        if (from is not null) client.Socket.Bind(new IPEndPoint(from, 0));
        await client.Socket.ConnectAsync(IPAddress.Loopback, port).Within();
        return client;
    }

    /// <summary>Connects and expects the connection to be cut off, which may be so soon that connecting itself fails.</summary>
    public static async Task AssertTurnedAwayAsync(int port, IPAddress? from = null)
    {
        try
        {
            using Client client = await ConnectAsync(port, from);
            Assert.True(await client.IsClosedAsync());
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes) => Origin.SendAllAsync(Socket, bytes).Within(60);

    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    public void EndSending() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Reads to the end of the stream.</summary>
    public async Task<byte[]> ReadToEndAsync(double seconds = 60)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await Socket.ReceiveAsync(buffer).Within(seconds)) > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public async Task<byte[]> ReadAsync(int length)
    {
        var bytes = new byte[length];
        for (int read = 0; read < length;)
        {
            int count = await Socket.ReceiveAsync(bytes.AsMemory(read)).AsTask().Within();
            Assert.True(count > 0, $"the stream ended after {read} of {length} bytes");
            read += count;
        }
        return bytes;
    }

    /// <summary>Whether the other side has ended or reset the connection; waits for either.</summary>
    public async Task<bool> IsClosedAsync(double seconds = 30)
    {
        try
        {
            return await Socket.ReceiveAsync(new byte[1]).Within(seconds) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}
