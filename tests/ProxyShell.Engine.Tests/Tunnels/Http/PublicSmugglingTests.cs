using ProxyShell.Engine.Tests.Protocols.Http;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>The gateway refuses what the forward proxy refuses: nothing that two parsers could take differently reaches a service.</summary>
public class PublicSmugglingTests
{
    // what is a fault in what is asked of a proxy only, or what a gateway leaves to the service
    private static readonly string[] Others = ["a path", "options of the proxy itself", "an https URI", "other bytes in the target"];

    public static TheoryData<string, string> Heads => Shapes(BadRequests.Heads.Select(b => b.Name).Except(Others));

    public static TheoryData<string, string> Chunks => Shapes(BadRequests.Chunks.Select(b => b.Name));

    [Theory]
    [MemberData(nameof(Heads))]
    public async Task A_head_that_is_not_clean(string sockets, string name)
    {
        (_, string request, int status, string words) = BadRequests.Heads.Single(b => b.Name == name);
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        string ofGateway = request.Replace("http://HOST/", "/", StringComparison.Ordinal).Replace("CONNECT HOST", "CONNECT HOST:80", StringComparison.Ordinal).Replace("HOST", PublicSite.Host, StringComparison.Ordinal);
        await client.SendAsync(ofGateway + PublicSite.Get("/smuggled"));
        WebResponse response = await client.ReadAsync();
        Assert.Equal((status, words + "\n"), (response.Status, response.Body));
        Assert.Contains("Connection: close", response.Fields);
        Assert.Contains(response.Fields, f => f.StartsWith("ProxyShell-Reason: ", StringComparison.Ordinal));
        Assert.True(await client.IsClosedAsync());
        Assert.Equal(0, origin.Accepted);
        Assert.Equal(status, (await site.RecordsAsync(1))[0].Status);
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task A_chunked_body_that_is_not_clean(string sockets, string name)
    {
        (_, string body, string words) = BadRequests.Chunks.Single(b => b.Name == name);
        var ended = new TaskCompletionSource<Exception?>();
        await using Origin origin = WebOrigin.ByHand(async stream => ended.SetResult(await Record.ExceptionAsync(stream.ReadToEndAsync)));
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("POST", "/", "Transfer-Encoding: chunked") + "1\r\na\r\n");
        await client.SendAsync(body);
        WebResponse response = await client.ReadAsync();
        Assert.Equal((400, words + "\n"), (response.Status, response.Body));
        Assert.True(await client.IsClosedAsync());
        Assert.IsType<System.Net.Sockets.SocketException>(await ended.Task.Within());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task CONNECT_is_not_served(string sockets)
    {
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        using WebClient client = await site.ConnectAsync();
        WebResponse response = await client.AskAsync($"CONNECT {PublicSite.Host}:80 HTTP/1.1\r\nHost: {PublicSite.Host}\r\n\r\n{PublicSite.Get("/")}");
        Assert.Equal(501, response.Status);
        Assert.Contains("ProxyShell-Reason: no-proxy", response.Fields);
        Assert.True(await client.IsClosedAsync());
    }

    private static TheoryData<string, string> Shapes(IEnumerable<string> names)
    {
        var data = new TheoryData<string, string>();
        foreach (string name in names) data.Add(Sockets.Kinds.First(), name);
        return data;
    }
}
