using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>What the gateway and the agents limit: bodies, rates, users, sources.</summary>
public class PublicLimitTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_body_over_the_limit_is_refused_before_it_is_sent(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Body));
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { MaxRequestBody = 1000 });
        site.Register(origin.Port, new TunnelSettings { MaxRequestBody = 10 });
        Assert.Equal("0123456789", (await site.AskAsync(PublicSite.Request("POST", "/", "Content-Length: 10") + "0123456789")).Body);
        WebResponse response = await site.AskAsync(PublicSite.Request("POST", "/", "Content-Length: 11", "Expect: 100-continue"));
        Assert.Equal((413, "the body is over the limit of 10 bytes\n"), (response.Status, response.Body));
        Assert.Contains("ProxyShell-Reason: body-too-large", response.Fields);
        Assert.Single(origin.Requests);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_chunked_body_over_the_limit_is_broken_off(string sockets)
    {
        var began = new TaskCompletionSource();
        var ended = new TaskCompletionSource<Exception?>();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            string? head = await stream.ReadHeadAsync();
            if (head!.Contains("/fits", StringComparison.Ordinal)) await stream.SendAsync(WebOrigin.Ok(await stream.ReadBodyAsync(head)));
            else
            {
                began.SetResult();
                ended.SetResult(await Record.ExceptionAsync(stream.ReadToEndAsync));
            }
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { MaxRequestBody = 10, MaxIdleConnections = 0 });
        site.Register(origin.Port);
        const string Fits = "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
        Assert.Equal(Fits, (await site.AskAsync(PublicSite.Request("POST", "/fits", "Transfer-Encoding: chunked") + Fits)).Body);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("POST", "/", "Transfer-Encoding: chunked") + "5\r\n01234\r\n");
        await began.Task.Within();
        WebResponse response = await client.AskAsync("6\r\n56789x\r\n0\r\n\r\n");
        Assert.Equal((413, "the body is over the limit of 10 bytes\n"), (response.Status, response.Body));
        Exception? end = await ended.Task.Within();
        Assert.True(end is SocketException, "the service must not take the part for the whole");
    }

    [Fact]
    public void Rates_allow_a_burst_and_then_one_at_a_time()
    {
        var time = new ManualTime();
        var rates = new RequestRates<string>(time);
        for (int i = 0; i < 5; i++) Assert.Null(rates.TryCount("a", rate: 2, burst: 5));
        Assert.Equal(0.5, rates.TryCount("a", 2, 5)!.Value.TotalSeconds, 3);
        Assert.Null(rates.TryCount("b", 2, 5));
        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Null(rates.TryCount("a", 2, 5));
        Assert.NotNull(rates.TryCount("a", 2, 5));
        // who has been quiet for long has a burst, and not more
        time.Advance(TimeSpan.FromHours(1));
        for (int i = 0; i < 5; i++) Assert.Null(rates.TryCount("a", 2, 5));
        Assert.NotNull(rates.TryCount("a", 2, 5));
    }

    [Fact]
    public void Rates_forget_who_is_quiet()
    {
        var time = new ManualTime();
        var rates = new RequestRates<int>(time);
        for (int i = 0; i < 10_000; i++)
        {
            rates.TryCount(i, rate: 1, burst: 1);
            time.Advance(TimeSpan.FromMilliseconds(10));
        }
        Assert.InRange(rates.Count, 1, 2048);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Who_asks_too_often_is_told_when_to_come_back(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { RequestBurst = 3 });
        site.Register(origin.Port, new TunnelSettings { RequestRate = 0.01 });
        site.Register(origin.Port, host: "other.example.org");
        using WebClient client = await site.ConnectAsync();
        for (int i = 0; i < 3; i++) Assert.Equal(200, (await client.AskAsync(PublicSite.Get("/"))).Status);
        WebResponse response = await client.AskAsync(PublicSite.Get("/"));
        Assert.Equal((429, $"{PublicSite.Host} has had as many requests as it may for now\n"), (response.Status, response.Body));
        string wait = Assert.Single(response.Fields, f => f.StartsWith("Retry-After: ", StringComparison.Ordinal));
        Assert.InRange(int.Parse(wait[13..], System.Globalization.CultureInfo.InvariantCulture), 50, 100);
        // another tunnel has a count of its own, and the connection goes on
        Assert.Equal(200, (await client.AskAsync("GET / HTTP/1.1\r\nHost: other.example.org\r\n\r\n")).Status);
        Assert.Equal(4, origin.Requests.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_client_does_not_use_up_what_others_may(bool ofGateway)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(Sockets.Kinds.First(), o => o with { RequestBurst = 2, ClientRequestRate = ofGateway ? 0.01 : 0 });
        site.Register(origin.Port, new TunnelSettings { ClientRequestRate = ofGateway ? 0 : 0.01 });
        foreach (string address in new[] { "127.0.0.1", "127.0.0.2" })
        {
            using Client client = await Client.ConnectAsync(site.Port, System.Net.IPAddress.Parse(address));
            var stream = new WebStream(client.Socket);
            foreach (string status in new[] { "200", "200", "429" })
            {
                await stream.SendAsync(PublicSite.Get("/"));
                string head = (await stream.ReadHeadAsync())!;
                Assert.StartsWith("HTTP/1.1 " + status, head, StringComparison.Ordinal);
                await stream.ReadBodyAsync(head);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Users_are_asked_for_and_their_secret_stays_here(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { Credentials = [new ProxyCredential("all", "a:b")] });
        site.Register(origin.Port);
        site.Register(origin.Port, new TunnelSettings { Credentials = [new ProxyCredential("own", "c")] }, "own.example.org");
        using WebClient client = await site.ConnectAsync();
        WebResponse asked = await client.AskAsync(PublicSite.Get("/"));
        Assert.Equal((401, "a user name and password are required\n"), (asked.Status, asked.Body));
        Assert.Contains("WWW-Authenticate: Basic realm=\"ProxyShell\", charset=\"UTF-8\"", asked.Fields);
        Assert.Equal(401, (await client.AskAsync(PublicSite.Get("/", Basic("all:wrong")))).Status);
        Assert.Equal(401, (await client.AskAsync(PublicSite.Get("/", Basic("own:c")))).Status);
        Assert.Equal(200, (await client.AskAsync(PublicSite.Get("/", Basic("all:a:b")))).Status);
        Assert.Equal(401, (await client.AskAsync($"GET / HTTP/1.1\r\nHost: own.example.org\r\n{Basic("all:a:b")}\r\n\r\n")).Status);
        Assert.Equal(200, (await client.AskAsync($"GET / HTTP/1.1\r\nHost: own.example.org\r\n{Basic("own:c")}\r\n\r\n")).Status);
        Assert.Equal(2, origin.Requests.Count);
        Assert.All(origin.Requests, r => Assert.DoesNotContain(r.Fields, f => f.StartsWith("Authorization", StringComparison.Ordinal)));
        Assert.Equal(["", "", "", "all", "", "own"], (await site.RecordsAsync(6)).Select(r => r.User));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_the_service_asks_for_itself_passes(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\"\r\nContent-Length: 0\r\n\r\n");
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        WebResponse response = await site.AskAsync(PublicSite.Get("/", "Authorization: Bearer abc"));
        Assert.Contains("WWW-Authenticate: Digest realm=\"a\"", response.Fields);
        Assert.Contains("Authorization: Bearer abc", Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Clients_from_elsewhere_are_kept_out(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        site.Register(origin.Port, new TunnelSettings { AllowSource = [SourceNetwork.Parse("10.0.0.0/8")] });
        site.Register(origin.Port, new TunnelSettings { AllowSource = [SourceNetwork.Parse("127.0.0.0/8")] }, "open.example.org");
        WebResponse response = await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal((403, $"{PublicSite.Host} is not for clients from this address\n"), (response.Status, response.Body));
        Assert.Contains("ProxyShell-Reason: source-not-allowed", response.Fields);
        Assert.Equal(200, (await site.AskAsync("GET / HTTP/1.1\r\nHost: open.example.org\r\n\r\n")).Status);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_tunnel_has_as_many_requests_at_a_time_as_it_may(string sockets)
    {
        var release = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            while (await stream.ReadHeadAsync() is not null)
            {
                await release.Task;
                await stream.SendAsync(WebOrigin.Ok("ok"));
            }
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        TunnelRegistration agent = site.Register(origin.Port, new TunnelSettings { MaxConnections = 1 });
        using WebClient first = await site.ConnectAsync();
        await first.SendAsync(PublicSite.Get("/"));
        await Deadline.Until(() => agent.Active == 1, "the first request is under way");
        WebResponse response = await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal(503, response.Status);
        Assert.Contains("ProxyShell-Reason: tunnel-busy", response.Fields);
        release.SetResult();
        Assert.Equal(200, (await first.ReadAsync()).Status);
        Assert.Equal(200, (await site.AskAsync(PublicSite.Get("/"))).Status);
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        foreach ((TunnelHttpOptions options, string name) in new[]
        {
            (new TunnelHttpOptions { AnswerTimeout = TimeSpan.Zero }, nameof(TunnelHttpOptions.AnswerTimeout)),
            (new TunnelHttpOptions { RequestRate = -1 }, nameof(TunnelHttpOptions.RequestRate)),
            (new TunnelHttpOptions { ClientRequestRate = double.NaN }, nameof(TunnelHttpOptions.ClientRequestRate)),
            (new TunnelHttpOptions { MaxRequestBody = -1 }, nameof(TunnelHttpOptions.MaxRequestBody)),
            (new TunnelHttpOptions { AccessLog = new AccessLogOptions { Path = "/no/such/folder/log" } }, "/no/such/folder/log"),
        })
        {
            Assert.Contains(name, Assert.Throws<FormatException>(() => new TunnelGateway(new TunnelGatewayOptions { Http = options })).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_option_is_compared()
    {
        IEnumerable<string> settable = typeof(TunnelHttpOptions).GetProperties().Where(p => p.SetMethod is not null).Select(p => "Http." + p.Name);
        Assert.Empty(settable.Except(new TunnelHttpOptions().Values.Select(v => v.Name)));
    }

    private static string Basic(string user) => "Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(user));
}
