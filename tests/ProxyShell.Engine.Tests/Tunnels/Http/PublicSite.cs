using IPAddress = System.Net.IPAddress;
using IPEndPoint = System.Net.IPEndPoint;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>A gateway with tunnels whose agents are played: each channel is a connection to a server on this machine.</summary>
internal sealed class PublicSite(string sockets) : IAsyncDisposable
{
    /// <summary>The name of the tunnel, unless another is given.</summary>
    public const string Host = "app.example.org";

    private readonly House _house = new(sockets);

    public TunnelGateway Gateway { get; private set; } = null!;

    public int Port => Gateway.HttpPort;

    /// <summary>Starts the gateway.</summary>
    public static async Task<PublicSite> StartAsync(string sockets, Func<TunnelHttpOptions, TunnelHttpOptions>? http = null, Func<TunnelGatewayOptions, TunnelGatewayOptions>? change = null)
    {
        var site = new PublicSite(sockets);
        var options = new TunnelGatewayOptions { Sockets = Sockets.Of(sockets), HttpPort = 0, Http = (http ?? (o => o))(new TunnelHttpOptions()) };
        site.Gateway = await site._house.StartAsync(new TunnelGateway((change ?? (o => o))(options)));
        return site;
    }

    /// <summary>Starts the gateway with one tunnel to a port of this machine.</summary>
    public static async Task<PublicSite> StartAsync(string sockets, int port, TunnelSettings? settings = null)
    {
        PublicSite site = await StartAsync(sockets);
        site.Register(port, settings);
        return site;
    }

    /// <summary>An agent registers; its channels lead to a port of this machine.</summary>
    public TunnelRegistration Register(int port, TunnelSettings? settings = null, string host = Host, TunnelKind kind = TunnelKind.Http) => Register(
        (_, token) => Sockets.Of(sockets).ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), token), settings, host, kind);

    /// <summary>An agent registers that opens channels in this way.</summary>
    public TunnelRegistration Register(
        Func<TunnelVisitor, CancellationToken, ValueTask<DuplexConnection>> open, TunnelSettings? settings = null, string host = Host, TunnelKind kind = TunnelKind.Http)
    {
        var grant = new TunnelGrant { Kind = kind, Name = host, Url = "http://" + host, Thumbprint = "", Settings = settings ?? new TunnelSettings() };
        var registration = new TunnelRegistration(grant, open, DateTimeOffset.UtcNow);
        Gateway.Directory.Add(registration);
        return registration;
    }

    public Task<WebClient> ConnectAsync() => WebClient.ConnectAsync(Port);

    /// <summary>Asks once, on a connection of its own.</summary>
    public async Task<WebResponse> AskAsync(string request)
    {
        using WebClient client = await ConnectAsync();
        return await client.AskAsync(request);
    }

    /// <summary>Waits for the records of so many requests.</summary>
    public async Task<IReadOnlyList<HttpRequestRecord>> RecordsAsync(int count)
    {
        List<HttpRequestRecord> records = [];
        await Deadline.Until(() => (records = [.. Gateway.Events.ToList().Select(e => e.Request).OfType<HttpRequestRecord>()]).Count >= count, $"{count} requests are on record, {records.Count} so far");
        Assert.Equal(count, records.Count);
        return records;
    }

    /// <summary>A request for the tunnel.</summary>
    public static string Get(string path, params string[] fields) => Request("GET", path, fields);

    public static string Request(string method, string path, params string[] fields) =>
        $"{method} {path} HTTP/1.1\r\nHost: {Host}\r\n{string.Concat(fields.Select(field => field + "\r\n"))}\r\n";

    public ValueTask DisposeAsync() => _house.DisposeAsync();
}
