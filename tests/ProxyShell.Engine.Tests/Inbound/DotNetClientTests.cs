using System.Net;
using System.Net.Http.Headers;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>.NET's HttpClient with every kind of proxy that it knows, through the hops socks5, relay and http.</summary>
public sealed class DotNetClientTests : IAsyncLifetime
{
    private static readonly ProxyCredential User = new("ann", "secret: 1/2@3");

    private readonly House _house = new(Sockets.Kinds.First());
    private readonly WebOrigin _origin = WebOrigin.Of(request => WebOrigin.Ok($"{request.Line} {request.Body.Length}"));
    private AccessListener _secureOrigin = null!;
    private ProxyChain _chain = null!;

    public static TheoryData<string> Schemes => ["http", "https", "socks4", "socks4a", "socks5"];

    public async Task InitializeAsync()
    {
        ProxyServer first = await _house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Socks5, Credentials = [User] });
        ProxyServer second = await _house.ProxyAsync(o => o with { Keys = [ProxyKey.Create()] });
        ProxyServer third = await _house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Http, Credentials = [User] });
        _chain = new ProxyChain(first.ToHop(), second.ToHop(), third.ToHop());
        Assert.Equal(["socks5", "relay", "http"], _chain.Hops.Select(hop => hop.Scheme));
        _secureOrigin = await _house.ListenAsync(new HostEndpoint("127.0.0.1", _origin.Port), change: o => o with { Certificate = Certificates.Localhost });
    }

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task Requests_go_through_the_chain(string scheme)
    {
        AccessListener listener = await ListenAsync(scheme);
        using HttpClient client = Through(scheme, listener.LocalPort, null);
        await AssertServedAsync(client, $"http://{_origin.Authority}");
        Assert.Contains(listener.Events.ToList(), e => e.Connection?.Chain == _chain.ToString());
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task TLS_to_the_server_goes_through_the_chain(string scheme)
    {
        AccessListener listener = await ListenAsync(scheme);
        using HttpClient client = Through(scheme, listener.LocalPort, null);
        await AssertServedAsync(client, $"https://localhost:{_secureOrigin.LocalPort}");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    [InlineData("socks5")]
    public async Task Users_show_their_credentials(string scheme)
    {
        AccessListener listener = await ListenAsync(scheme, User);
        using HttpClient client = Through(scheme, listener.LocalPort, new NetworkCredential(User.UserName, "secret: 1/2@3"));
        await AssertServedAsync(client, $"http://{_origin.Authority}");
        await AssertServedAsync(client, $"https://localhost:{_secureOrigin.LocalPort}");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task Wrong_credentials_are_refused(string scheme)
    {
        AccessListener listener = await ListenAsync(scheme, User);
        using HttpClient client = Through(scheme, listener.LocalPort, new NetworkCredential(User.UserName, "wrong"));
        if (scheme == "socks5") await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync($"http://{_origin.Authority}/"));
        else Assert.Equal(HttpStatusCode.ProxyAuthenticationRequired, (await client.GetAsync($"http://{_origin.Authority}/")).StatusCode);
        Assert.Equal(0, _origin.Accepted);
    }

    private Task<AccessListener> ListenAsync(string scheme, params ProxyCredential[] users) => _house.StartAsync(new AccessListener(
        new AccessListenerOptions { Chain = _chain, Credentials = users, Certificate = scheme == "https" ? Certificates.Localhost : null }));

    private static async Task AssertServedAsync(HttpClient client, string address)
    {
        Assert.Equal("GET /a?b HTTP/1.1 0", await client.GetStringAsync($"{address}/a?b").Within());
        using var content = new ByteArrayContent(new byte[300_000]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using HttpResponseMessage answer = await client.PostAsync($"{address}/c", content).Within();
        Assert.Equal("POST /c HTTP/1.1 300000", await answer.Content.ReadAsStringAsync());
    }

    private static HttpClient Through(string scheme, int port, ICredentials? credentials)
    {
        var handler = new SocketsHttpHandler { Proxy = new WebProxy($"{scheme}://localhost:{port}") { Credentials = credentials }, PreAuthenticate = true };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == Certificates.Localhost.GetCertHashString();
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }
}
