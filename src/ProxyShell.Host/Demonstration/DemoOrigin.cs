using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ProxyShell.Host.Demonstration;

/// <summary>A web server with one file of pseudo-random bytes, enough of HTTP/1.1 (RFC 9112) for one request a connection.</summary>
internal sealed class DemoOrigin : IAsyncDisposable
{
    private const int MaxHead = 16 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _content;
    private readonly Task _serving;

    public DemoOrigin(int length)
    {
        _content = new byte[length];
        // the same file each time, so that a fault can be looked at again
        new Random(20_480).NextBytes(_content);
        Checksum = Convert.ToHexStringLower(SHA256.HashData(_content));
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The length of the file.</summary>
    public int Length => _content.Length;

    /// <summary>The SHA-256 of the file.</summary>
    public string Checksum { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _serving.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var answers = new List<Task>();
        try
        {
            while (true) answers.Add(AnswerAsync(await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(answers).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (!await ReadHeadAsync(stream).ConfigureAwait(false)) return;
            string head = $"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {_content.Length}\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token).ConfigureAwait(false);
            await stream.WriteAsync(_content, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // the client left, or the demonstration is over
        }
    }

    private async Task<bool> ReadHeadAsync(NetworkStream stream)
    {
        var buffer = new byte[MaxHead];
        int length = 0;
        while (length < MaxHead)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token).ConfigureAwait(false);
            if (count == 0) return false;
            length += count;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) return true;
        }
        return false;
    }
}
