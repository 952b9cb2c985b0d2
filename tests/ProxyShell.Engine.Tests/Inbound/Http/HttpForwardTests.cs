using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>Requests for http:// URIs are forwarded (RFC 9110 §7, RFC 9112).</summary>
public class HttpForwardTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_share_the_connections_on_both_sides(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Line));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using (WebClient client = await WebClient.ConnectAsync(proxy.LocalPort))
        {
            for (int i = 0; i < 20; i++)
            {
                WebResponse response = await client.AskAsync($"GET http://{origin.Authority}/{i}?a HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n\r\n");
                Assert.Equal(("HTTP/1.1 200 OK", $"GET /{i}?a HTTP/1.1"), (response.Line, response.Body));
                Assert.Equal(["Content-Length: " + response.Body.Length, "Via: 1.1 proxyshell"], response.Fields);
            }
        }
        Assert.Equal(1, origin.Accepted);
        Assert.All(origin.Requests, r => Assert.Equal([$"Host: {origin.Authority}", "Via: 1.1 proxyshell"], r.Fields));
        await House.QuietAsync(proxy);
        ProxyEvent closed = await House.EventAsync(proxy, ProxyEventKind.Closed);
        Assert.Equal(("http", origin.Authority), (closed.Connection!.Protocol, closed.Connection.Destination));
        Assert.Single(proxy.Events.ToList(), e => e.Kind == ProxyEventKind.Opened);
        Assert.Equal(origin.Requests.Sum(r => r.Head.Length), closed.Connection.BytesSent);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_sent_ahead_are_answered_in_order(string sockets)
    {
        await using WebOrigin first = WebOrigin.Of(r => WebOrigin.Ok("first" + r.Line)), second = WebOrigin.Of(r => WebOrigin.Ok("second" + r.Body));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        string requests = "";
        for (int i = 0; i < 30; i++)
        {
            requests += i % 3 == 0
                ? $"POST http://{second.Authority}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{i:000}"
                : $"GET http://{first.Authority}/{i} HTTP/1.1\r\nHost: x\r\n\r\n";
        }
        await client.SendAsync(requests);
        client.EndSending();
        for (int i = 0; i < 30; i++) Assert.Equal(i % 3 == 0 ? $"second{i:000}" : $"firstGET /{i} HTTP/1.1", (await client.ReadAsync()).Body);
        Assert.True(await client.IsClosedAsync());
        client.Dispose();
        await House.QuietAsync(proxy);
        Assert.Equal((0, 0), (proxy.Counters.Failed, proxy.Counters.Refused));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Chunks_pass_both_ways_as_they_are(string sockets)
    {
        const string Up = "5;a=b\r\nhello\r\n0\r\nX-Up: 1\r\n\r\n", Down = "3\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Down: 2\r\n\r\n";
        await using WebOrigin origin = WebOrigin.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Down\r\n\r\n" + Down);
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        for (int i = 0; i < 3; i++)
        {
            WebResponse response = await client.AskAsync($"PUT http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n" + Up);
            Assert.Equal(Down, response.Body);
            Assert.Equal(["Transfer-Encoding: chunked", "Trailer: X-Down", "Via: 1.1 proxyshell"], response.Fields);
        }
        Assert.All(origin.Requests, r => Assert.Equal(Up, r.Body));
        Assert.All(origin.Requests, r => Assert.Equal([$"Host: {origin.Authority}", "Transfer-Encoding: chunked", "Via: 1.1 proxyshell", "TE: trailers", "Connection: TE"], r.Fields));
        Assert.Equal(1, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Large_bodies_pass_both_ways(string sockets)
    {
        string body = string.Concat(Enumerable.Range(0, 400_000).Select(i => i.ToString("0000000000")));
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Body));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        for (int i = 0; i < 2; i++)
        {
            WebResponse response = await client.AskAsync($"POST http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body}");
            Assert.True(body == response.Body, "the body came back different");
        }
        Assert.Equal(1, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Responses_without_a_body_are_followed_by_the_next(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => r.Line.Split(' ')[0] switch
        {
            "HEAD" => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
            "DELETE" => "HTTP/1.1 204 No Content\r\n\r\n",
            _ => "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n",
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        foreach ((string method, string line) in new[] { ("HEAD", "200 OK"), ("DELETE", "204 No Content"), ("GET", "304 Not Modified"), ("HEAD", "200 OK") })
        {
            await client.SendAsync($"{method} http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n");
            string head = await client.ReadHeadAsync();
            Assert.StartsWith("HTTP/1.1 " + line, head, StringComparison.Ordinal);
            Assert.Equal(method != "DELETE", head.Contains("Content-Length: 1000", StringComparison.Ordinal));
        }
        Assert.Equal(1, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_origin_asks_for_a_body_with_100(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            Assert.Contains("Expect: 100-continue\r\n", await stream.ReadHeadAsync(), StringComparison.Ordinal);
            await stream.SendAsync("HTTP/1.1 100 Continue\r\nX-Go: on\r\n\r\n");
            await stream.SendAsync(WebOrigin.Ok(await stream.ReadAsync(5)));
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\nX-Go: on\r\nVia: 1.1 proxyshell\r\n\r\n", await client.ReadHeadAsync());
        Assert.Equal("hello", (await client.AskAsync("hello")).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_final_response_instead_of_100_ends_the_connection(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno");
            await stream.ReadToEndAsync();
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        WebResponse response = await client.AskAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        Assert.Equal((417, "no"), (response.Status, response.Body));
        Assert.Contains("Connection: close", response.Fields);
        Assert.True(await client.IsClosedAsync());
        client.Dispose();
        await House.QuietAsync(proxy);
        Assert.Equal(0, proxy.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_answer_before_the_body_is_read_arrives(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            // and goes, with the body unread: the kernel sends a reset behind the response
            await stream.SendAsync("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno");
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
        Task<WebResponse> reading = client.ReadAsync();
        await SendUntilRefusedAsync(client);
        WebResponse response = await reading.Within();
        Assert.Equal((413, "no"), (response.Status, response.Body));
        Assert.Contains("Connection: close", response.Fields);
        client.Dispose();
        await House.QuietAsync(proxy);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Request_and_response_flow_at_the_same_time(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 10; i++) await stream.SendAsync(await stream.ReadAsync(8));
            await stream.SendAsync(await stream.ReadAsync(5));
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync(), StringComparison.Ordinal);
        for (int i = 0; i < 10; i++)
        {
            await client.SendAsync($"3\r\na{i}b\r\n");
            Assert.Equal($"3\r\na{i}b\r\n", await client.Stream.ReadAsync(8));
        }
        await client.SendAsync("0\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await client.Stream.ReadAsync(5));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_body_until_the_end_ends_the_connection(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\n\r\nall of it");
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Equal("HTTP/1.1 200 OK\r\nVia: 1.1 proxyshell\r\nConnection: close\r\n\r\nall of it", await client.Stream.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_of_HTTP_1_0_gets_no_chunks_and_no_100(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(
            "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-T: 1\r\n\r\n");
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Authority}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        Assert.Equal("HTTP/1.1 200 OK\r\nVia: 1.1 proxyshell\r\nConnection: close\r\n\r\nabcde", await client.Stream.ReadToEndAsync());
        Assert.Contains("Connection: close", Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_origin_that_ends_between_requests_is_called_again(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => r.Line.Contains("/close", StringComparison.Ordinal)
            // it says nothing of the end that follows
            ? "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nConnection: close.."
            : WebOrigin.Ok("kept"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(19, (await client.AskAsync($"GET http://{origin.Authority}/close HTTP/1.1\r\nHost: x\r\n\r\n")).Body.Length);
            Assert.Equal("kept", (await client.AskAsync($"GET http://{origin.Authority}/keep HTTP/1.1\r\nHost: x\r\n\r\n")).Body);
        }
        Assert.InRange(origin.Accepted, 10, 20);
        Assert.Equal(20, origin.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_only_ends_its_direction_gets_its_response(string sockets)
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            asked.SetResult();
            await answer.Task;
            await stream.SendAsync(WebOrigin.Ok("late"));
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        client.EndSending();
        await asked.Task.Within();
        answer.SetResult();
        Assert.Equal("late", (await client.ReadAsync()).Body);
        Assert.True(await client.IsClosedAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_breaks_off_frees_the_origin(string sockets)
    {
        var asked = new TaskCompletionSource();
        var left = new TaskCompletionSource<Exception?>();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            asked.SetResult();
            left.SetResult(await Record.ExceptionAsync(() => stream.Socket.ReceiveAsync(new byte[1]).Within()));
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        await asked.Task.Within();
        client.Reset();
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(await left.Task.Within()).SocketErrorCode);
        await House.QuietAsync(proxy);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_upgrade_to_WebSocket_becomes_a_tunnel(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            string head = await stream.ReadHeadAsync() ?? "";
            Assert.Contains("Upgrade: websocket\r\nConnection: Upgrade\r\n", head, StringComparison.Ordinal);
            Assert.Contains("Sec-WebSocket-Key: k\r\n", head, StringComparison.Ordinal);
            await stream.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello");
            await stream.SendAsync(await stream.ReadToEndAsync());
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n");
        string answer = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", answer, StringComparison.Ordinal);
        Assert.Equal("hello", await client.Stream.ReadAsync(5));
        await client.SendAsync("any\0bytes");
        client.EndSending();
        Assert.Equal("any\0bytes", await client.Stream.ReadToEndAsync());
        await House.QuietAsync(proxy);
        Assert.Single(proxy.Events.ToList(), e => e.Kind == ProxyEventKind.Opened);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Refused_upgrades_are_ordinary_responses(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Head));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        for (int i = 0; i < 3; i++)
        {
            WebResponse response = await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: a\r\n\r\n");
            Assert.DoesNotContain("h2c", response.Body, StringComparison.Ordinal);
            Assert.DoesNotContain("HTTP2-Settings", response.Body, StringComparison.Ordinal);
            Assert.Equal(200, (await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")).Status);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_slow_client_slows_the_origin(string sockets)
    {
        long sent = 0;
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            string block = new('x', 100_000);
            for (int i = 0; i < 10_000; i++)
            {
                await Origin.SendAllAsync(stream.Socket, System.Text.Encoding.ASCII.GetBytes(block));
                Interlocked.Add(ref sent, block.Length);
            }
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using (WebClient client = await WebClient.ConnectAsync(proxy.LocalPort))
        {
            await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
            await client.ReadHeadAsync();
            // once nothing moves for a while, all buffers on the way are full
            long before;
            do
            {
                before = Interlocked.Read(ref sent);
                await Task.Delay(300);
            }
            while (Interlocked.Read(ref sent) > before);
            Assert.InRange(before, 1, 60_000_000);
            client.Reset();
        }
        await House.QuietAsync(proxy);
        Assert.Equal("client: connection reset", (await House.EventAsync(proxy, ProxyEventKind.Failed)).Message);
    }

    private static async Task SendUntilRefusedAsync(WebClient client)
    {
        string block = new('x', 1_000_000);
        try
        {
            for (int i = 0; i < 100; i++) await client.SendAsync(block);
        }
        catch (SocketException)
        {
            // the proxy has heard enough
        }
    }
}
