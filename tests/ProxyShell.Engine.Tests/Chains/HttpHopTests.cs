using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>HTTP proxies as hops: ours among other kinds, and those of strangers with all that they answer.</summary>
public class HttpHopTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_http_relay_and_http_hops(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        var user = new ProxyCredential("ann", "p:\u00e9");
        ProxyServer first = await HttpAsync(house, o => o with { Credentials = [user] }), second = await house.ProxyAsync(), third = await HttpAsync(house);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(first.ToHop(), second.ToHop(), third.ToHop()));
        byte[] sent = RandomBytes.Of(3_000_000);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(sent);
        client.EndSending();
        Assert.Equal(sent, await reading);
        foreach (ProxyServer server in new[] { first, second, third })
        {
            await House.QuietAsync(server);
            Assert.Equal((1, 0, 0), (server.Counters.Accepted, server.Counters.Failed, server.Counters.Refused));
        }
        Assert.Equal(third.LocalPort, second.Events.ToList().Last(e => e.Kind == ProxyEventKind.Closed).Connection!.Destination.Split(':')[1] is var port ? int.Parse(port) : 0);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_https_hop_is_spoken_with_in_TLS(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer first = await HttpAsync(house), second = await HttpAsync(house, o => o with { Certificate = Certificates.Localhost });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(first.ToHop(), second.ToHop()));
        Assert.Equal("https", second.ToHop().Scheme);
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("through TLS");
        Assert.Equal("through TLS"u8.ToArray(), await client.ReadAsync(11));
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_true_reason_comes_back_through_http_hops(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer first = await HttpAsync(house), second = await HttpAsync(house, o => o with { DenyDestination = [DestinationPattern.Parse("*:82")] });
        var chain = new ProxyChain(first.ToHop(), second.ToHop());
        int closed = Ports.Take();
        string told = $"told by hop 2 (127.0.0.1:{second.LocalPort})";
        await AssertFailureAsync(
            house, chain, new("127.0.0.1", closed), ProxyErrorReason.ConnectionRefused, null,
            $"destination 127.0.0.1:{closed}: answered 502 Bad Gateway: destination 127.0.0.1:{closed}: connection refused, {told}");
        await AssertFailureAsync(
            house, chain, new("no-such-host.invalid", 81), ProxyErrorReason.NameNotFound, null,
            $"destination no-such-host.invalid:81: answered 502 Bad Gateway: destination no-such-host.invalid:81: name 'no-such-host.invalid' not found, {told}");
        await AssertFailureAsync(
            house, chain, new("127.0.0.1", 82), ProxyErrorReason.Forbidden, 2,
            $"hop 2 (127.0.0.1:{second.LocalPort}): answered 403 Forbidden: destination 127.0.0.1:82 is forbidden by the policy of this proxy");
        await second.StopAsync(TimeSpan.Zero).Within();
        await AssertFailureAsync(
            house, chain, new("127.0.0.1", 81), ProxyErrorReason.ConnectionRefused, 2,
            $"hop 2 (127.0.0.1:{second.LocalPort}): answered 502 Bad Gateway: destination 127.0.0.1:{second.LocalPort}: connection refused");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Credentials_are_demanded_and_checked(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await HttpAsync(house, o => o with { Credentials = [new ProxyCredential("ann", "one")] });
        string hop = $"hop 1 (127.0.0.1:{server.LocalPort})";
        await AssertFailureAsync(
            house, new ProxyChain(server.ToHop() with { Credential = null }), new("127.0.0.1", 81), ProxyErrorReason.AuthenticationFailed, 1,
            $"{hop}: wants a user name and password (407 Proxy Authentication Required: a user name and password are required)");
        await AssertFailureAsync(
            house, new ProxyChain(server.ToHop() with { Credential = new ProxyCredential("ann", "two") }), new("127.0.0.1", 81), ProxyErrorReason.AuthenticationFailed, 1,
            $"{hop}: did not accept the user name and password (407 Proxy Authentication Required: the user name or password is wrong)");
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Go away\r\n\r\n", ProxyErrorReason.Forbidden, 1, "HOP: answered 403 Go away")]
    [InlineData("HTTP/1.1 401 Who\r\n\r\n", ProxyErrorReason.AuthenticationFailed, 1, "HOP: wants a user name and password (401 Who)")]
    [InlineData("HTTP/1.1 502 Connection Refused\r\n\r\n", ProxyErrorReason.ConnectionRefused, null, "destination 192.0.2.7:443: answered 502 Connection Refused, told by HOP")]
    [InlineData("HTTP/1.1 502 \r\n\r\n", ProxyErrorReason.Other, null, "destination 192.0.2.7:443: answered 502 , told by HOP")]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello", ProxyErrorReason.Other, null, "destination 192.0.2.7:443: answered 503 Busy, told by HOP")]
    [InlineData("HTTP/1.1 504 Slow\r\n\r\n", ProxyErrorReason.TimedOut, null, "destination 192.0.2.7:443: answered 504 Slow, told by HOP")]
    [InlineData("HTTP/1.1 502 No\r\nProxy-Status: a.example; error=dns_error\r\n\r\n", ProxyErrorReason.NameNotFound, null, "destination 192.0.2.7:443: answered 502 No, told by HOP")]
    [InlineData("HTTP/1.1 503 No\r\nProxy-Status: a; error=connection_limit_reached\r\n\r\n", ProxyErrorReason.LimitExceeded, 1, "HOP: answered 503 No")]
    [InlineData("HTTP/1.1 404 Not\u00a0\u001bFound\r\n\r\n", ProxyErrorReason.ProtocolError, 1, "HOP: its response is not valid HTTP: the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 405 Method Not Allowed\r\n\r\n", ProxyErrorReason.ProtocolError, 1, "HOP: answered 405 Method Not Allowed")]
    [InlineData("HTTP/1.1 101 Switching\r\n\r\n", ProxyErrorReason.ProtocolError, 1, "HOP: answered 101 Switching")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 407 \u00e9\r\n\r\n", ProxyErrorReason.AuthenticationFailed, 1, "HOP: wants a user name and password (407 ?)")]
    [InlineData("SSH-2.0-OpenSSH_9\r\n\r\n", ProxyErrorReason.ProtocolError, 1, "HOP: its response is not valid HTTP: the status line is not version, status and reason")]
    [InlineData("HTTP/1.1 200 OK\n\n", ProxyErrorReason.ProtocolError, 1, "HOP: its response is not valid HTTP: a line does not end with CR LF")]
    [InlineData("HTTP/1.1 2", ProxyErrorReason.ConnectionClosed, 1, "HOP: closed the connection within its response")]
    [InlineData("", ProxyErrorReason.ConnectionClosed, 1, "HOP: closed the connection without a response")]
    public async Task A_stranger_refuses(string answer, ProxyErrorReason reason, int? hop, string message)
    {
        await using Origin proxy = WebOrigin.ByHand(async stream =>
        {
            Assert.Equal("CONNECT 192.0.2.7:443 HTTP/1.1\r\nHost: 192.0.2.7:443\r\n\r\n", await stream.ReadHeadAsync());
            await stream.SendAsync(answer);
        });
        await using var house = new House(Sockets.Portable);
        await AssertFailureAsync(
            house, new ProxyChain(ProxyHop.Parse($"http://{proxy.Endpoint}")), new("192.0.2.7", 443), reason, hop,
            message.Replace("HOP", $"hop 1 ({proxy.Endpoint})", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_long_reason_is_cut()
    {
        await using Origin proxy = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync($"HTTP/1.1 500 {new string('x', 60_000)}\r\n\r\n");
        });
        await using var house = new House(Sockets.Portable);
        await AssertFailureAsync(
            house, new ProxyChain(ProxyHop.Parse($"http://{proxy.Endpoint}")), new("192.0.2.7", 443), ProxyErrorReason.ProtocolError, 1,
            $"hop 1 ({proxy.Endpoint}): answered 500 {new string('x', 115)}~");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.0 200 Connection established\r\nProxy-Agent: tinyproxy/1.11\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 299 \r\nContent-Length: 17\r\nTransfer-Encoding : chunked, x\r\n\r\n")]
    public async Task A_stranger_agrees(string answer)
    {
        await using Origin proxy = WebOrigin.ByHand(async stream =>
        {
            Assert.Equal("CONNECT [2001:db8::5]:443 HTTP/1.1\r\nHost: [2001:db8::5]:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n", await stream.ReadHeadAsync());
            // the first bytes of the destination come along
            await stream.SendAsync(answer + "hello");
            await stream.SendAsync(await stream.ReadToEndAsync());
        });
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(new("2001:db8::5", 443), new ProxyChain(ProxyHop.Parse($"http://a:b@{proxy.Endpoint}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
        await client.SendAsync("there");
        client.EndSending();
        Assert.Equal("there"u8.ToArray(), await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_name_in_another_script_is_asked_for_in_ASCII()
    {
        var asked = new TaskCompletionSource<string?>();
        await using Origin proxy = WebOrigin.ByHand(async stream =>
        {
            asked.SetResult(await stream.ReadHeadAsync());
            await stream.ReadToEndAsync();
        });
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(new("b\u00fccher.example", 80), new ProxyChain(ProxyHop.Parse($"http://{proxy.Endpoint}")));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        Assert.Equal("CONNECT xn--bcher-kva.example:80 HTTP/1.1\r\nHost: xn--bcher-kva.example:80\r\n\r\n", await asked.Task.Within());
    }

    [Fact]
    public async Task A_hop_that_says_nothing_is_given_up()
    {
        await using Origin silent = WebOrigin.ByHand(stream => stream.ReadToEndAsync());
        await using var house = new House(Sockets.Portable);
        await AssertFailureAsync(
            house, new ProxyChain(ProxyHop.Parse($"http://{silent.Endpoint}")), new("192.0.2.7", 443), ProxyErrorReason.TimedOut, 1,
            $"hop 1 ({silent.Endpoint}): no answer in time", o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
    }

    private static Task<ProxyServer> HttpAsync(House house, Func<ProxyServerOptions, ProxyServerOptions>? change = null) =>
        house.ProxyAsync(o => (change ?? (same => same))(o with { Protocols = ProxyProtocols.Http }));

    private static async Task AssertFailureAsync(
        House house, ProxyChain chain, HostEndpoint destination, ProxyErrorReason reason, int? hop, string message, Func<AccessListenerOptions, AccessListenerOptions>? change = null)
    {
        AccessListener listener = await house.ListenAsync(destination, chain, change);
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyException error = (await House.EventAsync(listener, ProxyEventKind.Failed)).Connection!.LastError!;
        Assert.Equal((message, reason, hop), (error.Message, error.Reason, error.HopNumber));
    }
}
