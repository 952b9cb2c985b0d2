using System.Net.Sockets;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>Each real failure has its status and one sentence that names the party at fault, for tunnels and for forwarded requests.</summary>
public class HttpStatusTests
{
    public static TheoryData<string, string> Ways
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                data.Add(sockets, "tunnel");
                data.Add(sockets, "forward");
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Refused(string sockets, string way)
    {
        int port = Ports.Take();
        await AssertAsync(sockets, way, $"127.0.0.1:{port}", $"502 Bad Gateway: destination 127.0.0.1:{port}: connection refused", "connection_refused", ProxyErrorReason.ConnectionRefused);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public Task Unreachable(string sockets, string way) =>
        // TCP to a multicast address fails in the kernel: nothing leaves the machine
        AssertAsync(sockets, way, "224.0.0.1:81", "502 Bad Gateway: destination 224.0.0.1:81: network unreachable", "destination_ip_unroutable", ProxyErrorReason.NetworkUnreachable);

    [Theory]
    [MemberData(nameof(Ways))]
    public Task Name_not_found(string sockets, string way) => AssertAsync(
        sockets, way, "no-such-host.invalid:81", "502 Bad Gateway: destination no-such-host.invalid:81: name 'no-such-host.invalid' not found", "dns_error", ProxyErrorReason.NameNotFound);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Timed_out(string sockets, string way)
    {
        using var deaf = new DeafListener();
        await AssertAsync(
            sockets, way, deaf.EndPoint.ToString(), $"504 Gateway Timeout: destination {deaf.EndPoint}: no connection within 0.3 s", "connection_timeout", ProxyErrorReason.TimedOut,
            o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Forbidden(string sockets, string way)
    {
        await AssertAsync(
            sockets, way, "127.0.0.1:81", "403 Forbidden: destination 127.0.0.1:81 is forbidden by the policy of this proxy", "http_request_denied", ProxyErrorReason.Forbidden,
            o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_hop_that_cannot_be_reached(string sockets, string way)
    {
        int port = Ports.Take();
        await AssertAsync(
            sockets, way, "127.0.0.1:81", $"502 Bad Gateway: hop 1 (127.0.0.1:{port}): connection refused", "connection_refused", ProxyErrorReason.ConnectionRefused,
            o => o with { Chain = new ProxyChain(ProxyHop.Parse($"relay://127.0.0.1:{port}")) });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_hop_that_forbids(string sockets, string way)
    {
        await using var house = new House(sockets);
        ProxyServer strict = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("*")] });
        await AssertAsync(
            sockets, way, "127.0.0.1:81", $"403 Forbidden: hop 1 (127.0.0.1:{strict.LocalPort}): 127.0.0.1:81 is forbidden by its policy", "http_request_denied", ProxyErrorReason.Forbidden,
            o => o with { Chain = new ProxyChain(strict.ToHop()) });
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_hop_that_is_full(string sockets, string way)
    {
        await using var house = new House(sockets);
        ProxyServer full = await house.ProxyAsync(o => o with { MaxConnections = 1 });
        using Client holder = await Client.ConnectAsync(full.LocalPort);
        await Deadline.Until(() => full.Counters.Active == 1, "the first connection is counted");
        await AssertAsync(
            sockets, way, "127.0.0.1:81", $"503 Service Unavailable: hop 1 (127.0.0.1:{full.LocalPort}): too many connections", "connection_limit_reached", ProxyErrorReason.LimitExceeded,
            o => o with { Chain = new ProxyChain(full.ToHop()) });
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task One_client_too_many(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync(o => o with { MaxConnections = 1 });
        using Client holder = await Client.ConnectAsync(proxy.LocalPort);
        await Deadline.Until(() => proxy.Counters.Active == 1, "the first connection is counted");
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        WebResponse response = await client.AskAsync("GET http://127.0.0.1:81/ HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Equal("HTTP/1.1 503 Service Unavailable: this proxy has too many connections", response.Line);
        Assert.True(await client.IsClosedAsync());
    }

    [Fact]
    public async Task A_request_that_may_go_no_further_is_not_passed_on()
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(Sockets.Kinds.First());
        ProxyServer proxy = await house.ProxyAsync();
        foreach (string method in new[] { "OPTIONS", "TRACE" })
        {
            using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
            WebResponse response = await client.AskAsync($"{method} http://{origin.Authority} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n");
            Assert.Equal($"HTTP/1.1 501 Not Implemented: Max-Forwards is 0, and this proxy answers no {method} of its own", response.Line);
        }
        Assert.Equal(0, origin.Accepted);
        // for other methods it means nothing
        using WebClient other = await WebClient.ConnectAsync(proxy.LocalPort);
        Assert.Equal(200, (await other.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n")).Status);
    }

    public static TheoryData<string, string, string> BadOrigins
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                data.Add(sockets, "", "closed the connection without a response");
                data.Add(sockets, "RESET", "connection reset instead of a response");
                data.Add(sockets, "HTTP/1.1 200 OK\r\nA", "closed the connection within its response");
                data.Add(sockets, "HTTP/1.1 100 Continue\r\n\r\n", "closed the connection without a response");
                data.Add(sockets, "SSH-2.0-OpenSSH\r\n\r\n", "its response is not valid HTTP: the status line is not version, status and reason");
                data.Add(sockets, "HTTP/1.1 200 OK\nA: b\n\n", "its response is not valid HTTP: a line does not end with CR LF");
                data.Add(sockets, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "its response is not valid HTTP: Content-Length is given twice");
                data.Add(sockets, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "its response is not valid HTTP: both Content-Length and Transfer-Encoding are given");
                data.Add(sockets, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n", "a chunk size is missing or not hexadecimal");
                data.Add(sockets, "HTTP/1.1 200 OK\r\nA: " + new string('a', 70_000) + "\r\n\r\n", "its response is not valid HTTP: its head is over the limit of 65536 bytes");
                data.Add(sockets, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "switched protocols without being asked");
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadOrigins))]
    public async Task An_origin_that_answers_badly(string sockets, string answer, string words)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            if (answer == "RESET") stream.Socket.LingerState = new LingerOption(true, 0);
            else await stream.SendAsync(answer);
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        WebResponse response = await client.AskAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        if (response.Status == 100) response = await client.ReadAsync();
        Assert.Equal((502, $"destination {origin.Endpoint}: {words}\n"), (response.Status, response.Body));
        Assert.True(await client.IsClosedAsync());
        client.Dispose();
        Assert.Equal($"destination {origin.Endpoint}: {words}", (await House.EventAsync(proxy, ProxyEventKind.Failed)).Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_response_that_is_cut_off_is_cut_off_for_the_client_too(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
        });
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"GET http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadHeadAsync();
        await Assert.ThrowsAsync<SocketException>(() => client.Stream.ReadToEndAsync());
        Assert.Equal($"destination {origin.Endpoint}: closed the connection within a body", (await House.EventAsync(proxy, ProxyEventKind.Failed)).Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_response_to_HEAD_has_no_body_even_then(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"HEAD http://127.0.0.1:{Ports.Take()}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.EndsWith("\r\n\r\n", await client.Stream.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private static async Task AssertAsync(
        string sockets, string way, string destination, string line, string error, ProxyErrorReason reason, Func<ProxyServerOptions, ProxyServerOptions>? change = null)
    {
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync(change);
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        string target = way == "tunnel" ? $"CONNECT {destination}" : $"GET http://{destination}/";
        WebResponse response = await client.AskAsync($"{target} HTTP/1.1\r\nHost: {destination}\r\n\r\n");
        Assert.Equal("HTTP/1.1 " + line, response.Line);
        Assert.Equal(line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..] + "\n", response.Body);
        Assert.Contains("Proxy-Status: proxyshell; error=" + error, response.Fields);
        Assert.Contains("Connection: close", response.Fields);
        Assert.True(await client.IsClosedAsync());
        client.Dispose();
        await House.QuietAsync(proxy);
        Assert.Equal(reason, proxy.Events.ToList().Single(e => e.Kind is ProxyEventKind.Failed or ProxyEventKind.Refused).Reason);
    }
}
