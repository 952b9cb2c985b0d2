namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A client of a proxy that speaks HTTP by hand.</summary>
internal sealed class WebClient : IDisposable
{
    private readonly Client _client;

    private WebClient(Client client) => (_client, Stream) = (client, new WebStream(client.Socket));

    public WebStream Stream { get; }

    public static async Task<WebClient> ConnectAsync(int port) => new(await Client.ConnectAsync(port));

    public Task SendAsync(string text) => Stream.SendAsync(text);

    public void EndSending() => _client.EndSending();

    public void Reset() => _client.Reset();

    public Task<bool> IsClosedAsync() => _client.IsClosedAsync();

    /// <summary>Reads one response: its head, and the body that the head announces.</summary>
    public async Task<WebResponse> ReadAsync()
    {
        string head = await Stream.ReadHeadAsync() ?? throw new EndOfStreamException("the stream ended instead of a response");
        return new WebResponse(head, await Stream.ReadBodyAsync(head));
    }

    /// <summary>Reads the head of a response alone.</summary>
    public async Task<string> ReadHeadAsync() => await Stream.ReadHeadAsync() ?? throw new EndOfStreamException("the stream ended instead of a response");

    public async Task<WebResponse> AskAsync(string request)
    {
        await SendAsync(request);
        return await ReadAsync();
    }

    public void Dispose() => _client.Dispose();
}
