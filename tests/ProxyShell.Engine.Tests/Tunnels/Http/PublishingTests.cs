using System.Globalization;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>Requests of the public reach the service, and its responses the public, as they were sent.</summary>
public class PublishingTests
{
    public static TheoryData<string, string> Methods
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string method in new[] { "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "REPORT", "get", "X-ANY!" }) data.Add(Sockets.Kinds.First(), method);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Every_method_passes(string sockets, string method)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Line));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        Assert.Equal($"{method} /a HTTP/1.1", (await site.AskAsync(PublicSite.Request(method, "/a"))).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Every_status_passes_with_its_reason_and_fields(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r =>
        {
            string status = r.Line.Split(' ')[1][1..];
            string length = status is "204" or "304" ? "" : "Content-Length: 2\r\n";
            return $"HTTP/1.1 {status} Reason of {status}\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty:\r\n{length}Set-Cookie: a=3\r\n\r\n{(length.Length > 0 ? "ok" : "")}";
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        for (int status = 200; status < 600; status++)
        {
            WebResponse response = await client.AskAsync(PublicSite.Get($"/{status}"));
            bool isBare = status is 204 or 304;
            Assert.Equal($"HTTP/1.1 {status} Reason of {status}", response.Line);
            Assert.Equal(["Set-Cookie: a=1", "set-cookie: b=2", "X-Empty: ", .. isBare ? Array.Empty<string>() : ["Content-Length: 2"], "Set-Cookie: a=3"], response.Fields);
            Assert.Equal(isBare ? "" : "ok", response.Body);
        }
        Assert.Equal(1, origin.Accepted);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Every_byte_that_a_path_may_have_passes(string sockets)
    {
        string visible = string.Concat(Enumerable.Range(0x21, 0x5E).Select(b => (char)b).Where(c => c != '#'));
        string wide = string.Concat(Enumerable.Range(0x80, 0x80).Select(b => (char)b));
        string encoded = string.Concat(Enumerable.Range(0, 256).Select(b => "%" + b.ToString("x2", CultureInfo.InvariantCulture)));
        await using WebOrigin origin = WebOrigin.Of(_ => WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        foreach (string path in new[] { "/" + visible, "/" + wide, "/" + encoded, "//a//../b/./c", "/a?b?c=%00&d", "/?" })
        {
            await site.AskAsync(PublicSite.Get(path));
            Assert.Equal($"GET {path} HTTP/1.1", origin.Requests.Last().Line);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Fields_pass_as_often_as_they_came_and_sixty_kilobytes_of_them(string sockets)
    {
        string[] fields = ["X-One: 1", "x-one: 2", "Accept: a", "X-Empty: ", "Cookie: a=b; c=d", .. Enumerable.Range(0, 15).Select(i => $"X-Long-{i}: {new string('x', 4000)}")];
        await using WebOrigin origin = WebOrigin.Of(_ => WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        Assert.Equal(200, (await site.AskAsync(PublicSite.Get("/", fields))).Status);
        Assert.Equal(fields, Assert.Single(origin.Requests).Fields[1..^5]);
        WebResponse beyond = await site.AskAsync(PublicSite.Get("/", [.. fields, "X-More: " + new string('x', 5600)]));
        Assert.Equal(431, beyond.Status);
        Assert.Contains("ProxyShell-Reason: head-too-large", beyond.Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Clients_and_service_keep_their_connections(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Line));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        for (int c = 0; c < 5; c++)
        {
            using WebClient client = await site.ConnectAsync();
            for (int i = 0; i < 10; i++) Assert.Equal($"GET /{i} HTTP/1.1", (await client.AskAsync(PublicSite.Get($"/{i}"))).Body);
        }
        // one after another, clients share the connection to the service
        Assert.Equal((1, 50), (origin.Accepted, origin.Requests.Count));
        await House.QuietAsync(site.Gateway);
        Assert.Equal((0, 0), (site.Gateway.Counters.Failed, site.Gateway.Counters.Refused));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_sent_ahead_are_answered_in_order(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Line + r.Body));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        string requests = string.Concat(Enumerable.Range(0, 40).Select(i => i % 2 == 0
            ? PublicSite.Get($"/{i}")
            : PublicSite.Request("POST", $"/{i}", "Content-Length: 3") + i.ToString("000", CultureInfo.InvariantCulture)));
        await client.SendAsync(requests);
        client.EndSending();
        for (int i = 0; i < 40; i++)
            Assert.Equal(i % 2 == 0 ? $"GET /{i} HTTP/1.1" : $"POST /{i} HTTP/1.1{i:000}", (await client.ReadAsync()).Body);
        Assert.True(await client.IsClosedAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Old_clients_get_plain_bodies_and_the_end(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        for (int i = 0; i < 3; i++)
        {
            using WebClient client = await site.ConnectAsync();
            await client.SendAsync($"GET / HTTP/1.0\r\nHost: {PublicSite.Host}\r\n\r\n");
            Assert.Equal("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", await client.Stream.ReadToEndAsync());
        }
        // what the client wants of its connection is nothing to the service's
        Assert.Equal(1, origin.Accepted);
        Assert.All(origin.Requests, r => Assert.DoesNotContain(r.Fields, f => f.StartsWith("Connection", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Chunks_and_trailers_pass_both_ways_as_they_are(string sockets)
    {
        const string Up = "5;a=b\r\nhello\r\n0\r\nX-Up: 1\r\n\r\n", Down = "3\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Down: 2\r\n\r\n";
        await using WebOrigin origin = WebOrigin.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Down\r\n\r\n" + Down);
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        for (int i = 0; i < 3; i++)
            Assert.Equal(Down, (await client.AskAsync(PublicSite.Request("POST", "/", "Transfer-Encoding: chunked", "TE: trailers") + Up)).Body);
        Assert.All(origin.Requests, r => Assert.Equal(Up, r.Body));
        Assert.All(await site.RecordsAsync(3), r => Assert.Equal((5, 13), (r.BytesSent, r.BytesReceived)));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bodies_of_any_length_stream_both_ways_at_once(string sockets)
    {
        const int Length = 100_000_000;
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n");
            var buffer = new byte[64 * 1024];
            for (int left = Length; left > 0;)
            {
                int count = await stream.Socket.ReceiveAsync(buffer);
                await Origin.SendAllAsync(stream.Socket, buffer.AsMemory(0, count));
                left -= count;
            }
            await stream.ReadHeadAsync();
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("PUT", "/", $"Content-Length: {Length}"));
        byte[] block = RandomBytes.Of(1_000_000);
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < Length / block.Length; i++) await Origin.SendAllAsync(client.Stream.Socket, block);
        });
        await client.ReadHeadAsync();
        string expected = Encoding.Latin1.GetString(block);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Length / block.Length; i++) Assert.True(expected == await client.Stream.ReadAsync(block.Length), $"megabyte {i} came back different");
        await sending.Within();
        // other tests run at the same time: what counts is that it is not the body
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Length / 2);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_waits_to_be_told_is_told(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            string? head = await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
            await stream.SendAsync(WebOrigin.Ok(await stream.ReadBodyAsync(head!)));
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("POST", "/", "Expect: 100-continue", "Content-Length: 5"));
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadHeadAsync());
        Assert.Equal("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", await client.ReadHeadAsync());
        await client.SendAsync("hello");
        Assert.Equal("hello", (await client.ReadAsync()).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Heads_and_parts_are_asked_for_as_they_are(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => r.Line.StartsWith("HEAD", StringComparison.Ordinal)
            ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nAccept-Ranges: bytes\r\n\r\n"
            : "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234");
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("HEAD", "/"));
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nAccept-Ranges: bytes\r\n\r\n", await client.ReadHeadAsync());
        WebResponse part = await client.AskAsync(PublicSite.Get("/", "Range: bytes=2-4", "If-Range: \"a\""));
        Assert.Equal((206, "234"), (part.Status, part.Body));
        Assert.Equal(["Range: bytes=2-4", "If-Range: \"a\""], origin.Requests.Last().Fields[1..3]);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_WebSocket_is_byte_exact_from_its_answer_on(string sockets)
    {
        byte[] talk = RandomBytes.Of(1_000_000);
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            string? head = await stream.ReadHeadAsync();
            Assert.Contains("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", head, StringComparison.Ordinal);
            Assert.Contains("\r\nSec-WebSocket-Protocol: a, b\r\n", head, StringComparison.Ordinal);
            await stream.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: b\r\n\r\nfirst");
            var buffer = new byte[64 * 1024];
            for (int count; (count = await stream.Socket.ReceiveAsync(buffer)) > 0;) await Origin.SendAllAsync(stream.Socket, buffer.AsMemory(0, count));
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using (WebClient client = await site.ConnectAsync())
        {
            // browsers say it so
            await client.SendAsync(PublicSite.Get("/chat", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Protocol: a, b") + "early");
            string head = await client.ReadHeadAsync();
            Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", head);
            Assert.Equal("firstearly", await client.Stream.ReadAsync(10));
            Task sending = Origin.SendAllAsync(client.Stream.Socket, talk);
            Assert.True(Encoding.Latin1.GetString(talk) == await client.Stream.ReadAsync(talk.Length), "the talk came back different");
            await sending.Within();
            client.EndSending();
            Assert.True(await client.IsClosedAsync());
        }
        HttpRequestRecord record = Assert.Single(await site.RecordsAsync(1));
        Assert.Equal(101, record.Status);
        Assert.InRange(record.BytesSent, talk.Length, talk.Length + 1000);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hosts_are_told_apart_whatever_their_case_port_and_dot(string sockets)
    {
        await using WebOrigin first = WebOrigin.Answering(WebOrigin.Ok("first")), second = WebOrigin.Answering(WebOrigin.Ok("second"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, first.Port);
        site.Register(second.Port, host: "other.example.org");
        using WebClient client = await site.ConnectAsync();
        foreach (string host in new[] { "app.example.org", "APP.Example.org", "app.example.org:8080", "app.example.org.", "app.example.org.:80" })
        {
            Assert.Equal("first", (await client.AskAsync($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).Body);
            Assert.Equal($"Host: {host}", first.Requests.Last().Fields[0]);
        }
        Assert.Equal("second", (await client.AskAsync("GET / HTTP/1.1\r\nHost: other.example.org\r\n\r\n")).Body);
        // an absolute form goes before Host (RFC 9112 §3.2.2)
        Assert.Equal("second", (await client.AskAsync("GET http://other.example.org/x HTTP/1.1\r\nHost: app.example.org\r\n\r\n")).Body);
        Assert.Equal(("GET /x HTTP/1.1", "Host: other.example.org"), (second.Requests.Last().Line, second.Requests.Last().Fields[0]));
        Assert.Equal(404, (await client.AskAsync("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")).Status);
        Assert.Equal("first", (await client.AskAsync(PublicSite.Get("/"))).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_slow_reader_does_not_stall_the_others(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            while (await stream.ReadHeadAsync() is { } head)
            {
                if (!head.StartsWith("GET /large", StringComparison.Ordinal)) await stream.SendAsync(WebOrigin.Ok("small"));
                else
                {
                    await stream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
                    await Origin.SendAllAsync(stream.Socket, new byte[1_000_000_000]);
                }
            }
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient slow = await site.ConnectAsync(), quick = await site.ConnectAsync();
        await slow.SendAsync(PublicSite.Get("/large"));
        await slow.ReadHeadAsync();
        for (int i = 0; i < 100; i++) Assert.Equal("small", (await quick.AskAsync(PublicSite.Get("/"))).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_kept_connection_that_the_service_ends_just_then_is_replaced_when_that_is_safe(string sockets)
    {
        int served = 0;
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            for (int i = 0; await stream.ReadHeadAsync() is not null; i++)
            {
                // the second request of each connection is not answered
                if (i == 1) return;
                Interlocked.Increment(ref served);
                await stream.SendAsync(WebOrigin.Ok("ok"));
            }
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        Assert.Equal("ok", (await client.AskAsync(PublicSite.Get("/1"))).Body);
        Assert.Equal("ok", (await client.AskAsync(PublicSite.Get("/2"))).Body);
        WebResponse post = await client.AskAsync(PublicSite.Request("POST", "/3", "Content-Length: 0"));
        Assert.Equal(502, post.Status);
        Assert.Contains("ProxyShell-Reason: service-failed", post.Fields);
        Assert.Equal(2, served);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Where_the_service_is_told_of_clients_each_has_connections_of_its_own(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port, new TunnelSettings { OneClientPerChannel = true });
        for (int i = 0; i < 3; i++)
        {
            using WebClient client = await site.ConnectAsync();
            for (int k = 0; k < 5; k++) await client.AskAsync(PublicSite.Get("/"));
        }
        Assert.Equal(3, origin.Accepted);
    }
}
