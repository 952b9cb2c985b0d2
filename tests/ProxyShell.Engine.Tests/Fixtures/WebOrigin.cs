using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A web server that answers as told, written without the engine's own HTTP: it sees what really arrives.</summary>
internal sealed class WebOrigin : IAsyncDisposable
{
    private readonly Origin _origin;

    private WebOrigin(Func<WebRequest, string> answer)
    {
        _origin = Origin.Of(async socket =>
        {
            var stream = new WebStream(socket);
            while (await stream.ReadHeadAsync() is { } head)
            {
                var request = new WebRequest(head, await stream.ReadBodyAsync(head));
                Requests.Enqueue(request);
                string text = answer(request);
                await stream.SendAsync(text);
                if (text.Contains("Connection: close", StringComparison.Ordinal)) return;
            }
        });
    }

    public ConcurrentQueue<WebRequest> Requests { get; } = new();

    public int Port => _origin.Port;

    /// <summary>How many connections it has had.</summary>
    public int Accepted => _origin.Accepted;

    public string Authority => $"127.0.0.1:{Port}";

    /// <summary>Answers every request with what the function makes of it.</summary>
    public static WebOrigin Of(Func<WebRequest, string> answer) => new(answer);

    /// <summary>Answers every request with this.</summary>
    public static WebOrigin Answering(string answer) => new(_ => answer);

    /// <summary>A 200 with a text.</summary>
    public static string Ok(string text) => $"HTTP/1.1 200 OK\r\nContent-Length: {Encoding.Latin1.GetByteCount(text)}\r\n\r\n{text}";

    /// <summary>Serves each connection by hand.</summary>
    public static Origin ByHand(Func<WebStream, Task> serve) => Origin.Of((Socket socket) => serve(new WebStream(socket)));

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}
