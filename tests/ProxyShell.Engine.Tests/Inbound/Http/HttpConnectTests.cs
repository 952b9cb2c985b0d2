using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>CONNECT makes a tunnel (RFC 9110 §9.3.6).</summary>
public class HttpConnectTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_both_ways_and_each_end_by_itself(string sockets)
    {
        byte[] sent = RandomBytes.Of(3_000_000), answer = RandomBytes.Of(2_000_000, seed: 2);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using Client client = await Client.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"CONNECT {origin.Endpoint} HTTP/1.1\r\nHost: {origin.Endpoint}\r\nUser-Agent: x\r\n\r\n");
        Assert.Equal("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), await client.ReadAsync(39));
        await client.SendAsync(sent);
        client.EndSending();
        Assert.Equal(answer, await client.ReadToEndAsync());
        await House.QuietAsync(proxy);
        ProxyConnection record = (await House.EventAsync(proxy, ProxyEventKind.Closed)).Connection!;
        Assert.Equal(("http", origin.Endpoint.ToString(), sent.Length, answer.Length), (record.Protocol, record.Destination, record.BytesSent, record.BytesReceived));
        Assert.Single(proxy.Events.ToList(), e => e.Kind == ProxyEventKind.Opened);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_sent_behind_the_request_are_not_lost(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"\r\n\r\nCONNECT {origin.Endpoint} HTTP/1.0\r\n\r\nearly");
        await client.ReadHeadAsync();
        Assert.Equal("early", await client.Stream.ReadAsync(5));
        client.EndSending();
        Assert.Equal("", await client.Stream.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_tunnel_may_follow_forwarded_requests(string sockets)
    {
        await using Origin echo = Origin.Echo();
        await using WebOrigin web = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        Assert.Equal("a", (await client.AskAsync($"GET http://{web.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n")).Body);
        await client.SendAsync($"CONNECT {echo.Endpoint} HTTP/1.1\r\nHost: x\r\n\r\nhello");
        await client.ReadHeadAsync();
        Assert.Equal("hello", await client.Stream.ReadAsync(5));
        client.EndSending();
        Assert.Equal("", await client.Stream.ReadToEndAsync());
        await House.QuietAsync(proxy);
        Assert.Equal((0, 0), (proxy.Counters.Failed, proxy.Counters.Refused));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Users_are_asked_for_their_names(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using WebOrigin web = WebOrigin.Of(r => WebOrigin.Ok(r.Head));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync(o => o with { Credentials = [new ProxyCredential("ann", "one"), new ProxyCredential("bob", "t:wo\u00e9")] });
        foreach (string target in new[] { $"CONNECT {origin.Endpoint}", $"GET http://{web.Authority}/" })
        {
            foreach ((string field, string words) in new[]
            {
                ("", "a user name and password are required"),
                ("Proxy-Authorization: Basic YW5uOnR3bw==\r\n", "the user name or password is wrong"),
                ("Proxy-Authorization: Basic YW5uOm9uZQ==\r\nProxy-Authorization: Basic YW5uOm9uZQ==\r\n", "the user name or password is wrong"),
                ("Proxy-Authorization: Bearer YW5uOm9uZQ==\r\n", "the user name or password is wrong"),
                ("Authorization: Basic YW5uOm9uZQ==\r\n", "a user name and password are required"),
            })
            {
                using WebClient stranger = await WebClient.ConnectAsync(proxy.LocalPort);
                WebResponse refusal = await stranger.AskAsync($"{target} HTTP/1.1\r\nHost: x\r\n{field}\r\n");
                Assert.Equal(("HTTP/1.1 407 Proxy Authentication Required: " + words, words + "\n"), (refusal.Line, refusal.Body));
                Assert.Contains("Proxy-Authenticate: Basic realm=\"ProxyShell\", charset=\"UTF-8\"", refusal.Fields);
                Assert.True(await stranger.IsClosedAsync());
            }
        }
        using WebClient ann = await WebClient.ConnectAsync(proxy.LocalPort), bob = await WebClient.ConnectAsync(proxy.LocalPort);
        WebResponse page = await ann.AskAsync($"GET http://{web.Authority}/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic YW5uOm9uZQ==\r\nAuthorization: Basic theirs\r\n\r\n");
        Assert.DoesNotContain("Proxy-Authorization", page.Body, StringComparison.Ordinal);
        Assert.Contains("Authorization: Basic theirs", page.Body, StringComparison.Ordinal);
        // who was admitted once has to say so with every request
        Assert.Equal(407, (await ann.AskAsync($"GET http://{web.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n")).Status);
        await bob.SendAsync($"CONNECT {origin.Endpoint} HTTP/1.1\r\nHost: x\r\nproxy-authorization: basic Ym9iOnQ6d2/DqQ==\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await bob.ReadHeadAsync(), StringComparison.Ordinal);
        ProxyEvent refused = await House.EventAsync(proxy, ProxyEventKind.Refused);
        Assert.Equal(ProxyErrorReason.AuthenticationFailed, refused.Reason);
        Assert.Equal(0, proxy.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_listener_without_destination_serves_it_too(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using WebOrigin web = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(2);
        AccessListener listener = await house.StartAsync(new AccessListener(new AccessListenerOptions { Chain = chain, Sockets = Sockets.Of(sockets) }));
        using WebClient client = await WebClient.ConnectAsync(listener.LocalPort);
        Assert.Equal("a", (await client.AskAsync($"GET http://{web.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n")).Body);
        await client.SendAsync($"CONNECT {origin.Endpoint} HTTP/1.1\r\nHost: x\r\n\r\nhello");
        await client.ReadHeadAsync();
        Assert.Equal("hello", await client.Stream.ReadAsync(5));
    }
}
