using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Tests.Protocols.Http;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>What two parsers could take differently is refused, the connection is closed, and the origin sees nothing of it.</summary>
public class HttpSmugglingTests
{
    public static TheoryData<string, string> Heads => Shapes(BadRequests.Heads.Select(b => b.Name));

    public static TheoryData<string, string> Chunks => Shapes(BadRequests.Chunks.Select(b => b.Name));

    [Theory]
    [MemberData(nameof(Heads))]
    public async Task A_head_that_is_not_clean(string sockets, string name)
    {
        (_, string request, int status, string words) = BadRequests.Heads.Single(b => b.Name == name);
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        // a second request behind the first: it must not be taken for one
        string smuggled = $"GET http://{origin.Authority}/smuggled HTTP/1.1\r\nHost: {origin.Authority}\r\n\r\n";
        await client.SendAsync(request.Replace("HOST", origin.Authority, StringComparison.Ordinal) + smuggled);
        WebResponse response = await client.ReadAsync();
        Assert.Equal((status, words + "\n"), (response.Status, response.Body));
        Assert.Contains("Connection: close", response.Fields);
        Assert.True(await client.IsClosedAsync());
        client.Dispose();
        await House.QuietAsync(proxy);
        Assert.Equal((0, 1), (origin.Accepted, proxy.Counters.Refused));
        Assert.Equal("client: " + words, (await House.EventAsync(proxy, ProxyEventKind.Refused)).Message);
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task A_chunked_body_that_is_not_clean(string sockets, string name)
    {
        (_, string body, string words) = BadRequests.Chunks.Single(b => b.Name == name);
        var ended = new TaskCompletionSource<Exception?>();
        await using Origin origin = WebOrigin.ByHand(async stream => ended.SetResult(await Record.ExceptionAsync(stream.ReadToEndAsync)));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        await client.SendAsync(body);
        WebResponse response = await client.ReadAsync();
        Assert.Equal((400, words + "\n"), (response.Status, response.Body));
        Assert.True(await client.IsClosedAsync());
        Assert.IsType<System.Net.Sockets.SocketException>(await ended.Task.Within());
        client.Dispose();
        await House.QuietAsync(proxy);
        Assert.Equal("client: " + words, (await House.EventAsync(proxy, ProxyEventKind.Refused)).Message);
    }

    [Fact]
    public void The_page_names_every_sentence()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "protocols", "http.md"));
        Assert.DoesNotContain(BadRequests.Heads.Select(b => b.Words).Concat(BadRequests.Chunks.Select(b => b.Words)), words => !page.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_host_that_differs_is_replaced(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: internal.example\r\n\r\n");
        Assert.Equal([$"Host: {origin.Authority}", "Via: 1.1 proxyshell"], Assert.Single(origin.Requests).Fields);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_body_that_is_cut_off_is_refused(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream => await Record.ExceptionAsync(stream.ReadToEndAsync));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync();
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.SendAsync($"POST http://{origin.Endpoint}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
        client.EndSending();
        WebResponse response = await client.ReadAsync();
        Assert.Equal((400, "closed the connection within a body\n"), (response.Status, response.Body));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_next_request_must_be_whole_in_time_too(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync(o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(400) });
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.SendAsync("GET http://");
        Assert.True(await client.IsClosedAsync());
        Assert.Equal("client: sent no complete request within 0.4 s", (await House.EventAsync(proxy, ProxyEventKind.Refused)).Message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_asks_no_more_is_let_go_at_the_idle_limit(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await house.ProxyAsync(o => o with { IdleTimeout = TimeSpan.FromMilliseconds(400), HandshakeTimeout = TimeSpan.FromMilliseconds(100) });
        using WebClient client = await WebClient.ConnectAsync(proxy.LocalPort);
        long start = Environment.TickCount64;
        await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.True(await client.IsClosedAsync());
        Assert.InRange(Environment.TickCount64 - start, 350, 20_000);
        Assert.Equal(ProxyErrorReason.IdleTimeout, (await House.EventAsync(proxy, ProxyEventKind.Failed)).Reason);
    }

    private static TheoryData<string, string> Shapes(IEnumerable<string> names)
    {
        var data = new TheoryData<string, string>();
        foreach (string name in names)
        {
            foreach (string sockets in Sockets.Kinds) data.Add(sockets, name);
        }
        return data;
    }
}
