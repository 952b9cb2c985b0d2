using System.Net.Sockets;
using System.Text.RegularExpressions;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Sessions;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>Who cannot be served is told why, at once, in words and in ProxyShell-Reason.</summary>
public class FailureTests
{
    [Fact]
    public void The_page_names_every_word()
    {
        string code = File.ReadAllText(Path.Combine(Repository.Root, "src", "ProxyShell.Engine", "Tunnels", "Http", "TunnelRefusals.cs"));
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "tunnels-http.md"));
        string[] words = [.. Regex.Matches(code, "\"([a-z]+-[a-z-]+)\"").Select(match => match.Groups[1].Value)];
        Assert.InRange(words.Length, 15, 50);
        Assert.All(words, word => Assert.Contains($"`{word}`", page, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_unknown_host_is_not_found(string sockets)
    {
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        using WebClient client = await site.ConnectAsync();
        WebResponse response = await client.AskAsync("GET / HTTP/1.1\r\nHost: nobody.example.org\r\n\r\n");
        Assert.Equal(("HTTP/1.1 404 Not Found", "no tunnel serves the host nobody.example.org\n"), (response.Line, response.Body));
        Assert.Contains("ProxyShell-Reason: unknown-host", response.Fields);
        Assert.DoesNotContain("Connection: close", response.Fields);
        WebResponse json = await client.AskAsync("GET / HTTP/1.1\r\nHost: nobody.example.org\r\nAccept: application/json, text/plain\r\n\r\n");
        Assert.Equal("{\"status\":404,\"reason\":\"unknown-host\",\"message\":\"no tunnel serves the host nobody.example.org\"}\n", json.Body);
        Assert.Contains("Content-Type: application/json", json.Fields);
        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: nobody.example.org\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.True(await client.IsClosedAsync());
        Assert.Equal((404, 0), ((await site.AskAsync("GET / HTTP/1.0\r\n\r\n")).Status, site.Gateway.Counters.Failed));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_host_whose_agent_is_gone_is_unavailable(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Answering(WebOrigin.Ok("ok"));
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        TunnelRegistration agent = site.Register(origin.Port);
        Assert.Equal(200, (await site.AskAsync(PublicSite.Get("/"))).Status);
        site.Gateway.Directory.Remove(agent, isWithdrawn: false);
        WebResponse response = await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal((503, $"the agent of {PublicSite.Host} is not connected\n"), (response.Status, response.Body));
        Assert.Contains("ProxyShell-Reason: agent-gone", response.Fields);
        Assert.Contains("Retry-After: 5", response.Fields);
        site.Register(origin.Port);
        Assert.Equal(200, (await site.AskAsync(PublicSite.Get("/"))).Status);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_service_that_is_down_is_a_bad_gateway(string sockets)
    {
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        site.Register((_, _) => throw new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, "127.0.0.1:1"));
        using WebClient client = await site.ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            WebResponse response = await client.AskAsync(PublicSite.Get("/"));
            Assert.Equal((502, $"the service of {PublicSite.Host} cannot be reached: connection refused\n"), (response.Status, response.Body));
            Assert.Contains("ProxyShell-Reason: service-down", response.Fields);
        }
        WebResponse post = await client.AskAsync(PublicSite.Request("POST", "/", "Content-Length: 5", "Accept: application/json"));
        Assert.Equal("{\"status\":502,\"reason\":\"service-down\",\"message\":\"the service of app.example.org cannot be reached: connection refused\"}\n", post.Body);
        Assert.Contains("Connection: close", post.Fields);
        Assert.All(await site.RecordsAsync(4), r => Assert.Equal((502, "service-down", PublicSite.Host), (r.Status, r.Reason, r.Tunnel)));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_agent_that_fails_is_passed_over_for_the_next(string sockets)
    {
        int asked = 0;
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Body));
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        foreach (ProxyException error in new[]
        {
            new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay),
            new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial),
            new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Request),
        })
        {
            site.Register((_, _) =>
            {
                Interlocked.Increment(ref asked);
                throw error;
            });
        }
        TunnelRegistration good = site.Register(origin.Port);
        using WebClient client = await site.ConnectAsync();
        for (int i = 0; i < 8; i++) Assert.Equal("hello", (await client.AskAsync(PublicSite.Request("POST", "/", "Content-Length: 5") + "hello")).Body);
        Assert.True(asked > 0, "the others were never asked");
        Assert.Equal((0, 8), (good.Active, good.Total));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Requests_go_to_the_least_busy_agent(string sockets)
    {
        var release = new TaskCompletionSource();
        await using Origin busy = WebOrigin.ByHand(async stream =>
        {
            while (await stream.ReadHeadAsync() is not null)
            {
                await release.Task;
                await stream.SendAsync(WebOrigin.Ok("busy"));
            }
        });
        await using WebOrigin idle = WebOrigin.Answering(WebOrigin.Ok("idle"));
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        TunnelRegistration first = site.Register(busy.Port);
        using WebClient waiting = await site.ConnectAsync();
        await waiting.SendAsync(PublicSite.Get("/"));
        await Deadline.Until(() => first.Active == 1, "the first agent is busy");
        TunnelRegistration second = site.Register(idle.Port);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal("idle", (await site.AskAsync(PublicSite.Get("/"))).Body);
            // its work ends a moment after the client has the response
            await Deadline.Until(() => second.Active == 0, "the second agent is idle again");
        }
        release.SetResult();
        Assert.Equal("busy", (await waiting.ReadAsync()).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_service_that_does_not_answer_in_time_is_given_up(string sockets)
    {
        var ended = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await Record.ExceptionAsync(stream.ReadToEndAsync);
            ended.SetResult();
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { AnswerTimeout = TimeSpan.FromMilliseconds(300) });
        site.Register(origin.Port);
        WebResponse response = await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal((504, $"the service of {PublicSite.Host} did not answer in time\n"), (response.Status, response.Body));
        Assert.Contains("ProxyShell-Reason: no-answer", response.Fields);
        await ended.Task.Within();
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_time_for_an_answer_does_not_run_while_the_client_sends(string sockets)
    {
        await using WebOrigin origin = WebOrigin.Of(r => WebOrigin.Ok(r.Body));
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { AnswerTimeout = TimeSpan.FromMilliseconds(300) });
        site.Register(origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Request("POST", "/", "Content-Length: 4"));
        foreach (char c in "slow")
        {
            // as long as the client pleases
            await Task.Delay(200);
            await client.SendAsync(c.ToString());
        }
        Assert.Equal("slow", (await client.ReadAsync()).Body);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_long_answer_may_take_its_time_once_it_has_begun(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
            await Task.Delay(700);
            await stream.SendAsync("cd");
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, o => o with { AnswerTimeout = TimeSpan.FromMilliseconds(300) });
        site.Register(origin.Port);
        Assert.Equal("abcd", (await site.AskAsync(PublicSite.Get("/"))).Body);
    }

    [Theory]
    [InlineData("garbage\r\n\r\n", "gave an answer that is not valid")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "gave an answer that is not valid")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "broke off before it answered")]
    [InlineData("", "broke off before it answered")]
    public async Task An_answer_that_is_none_is_a_bad_gateway(string answer, string words)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync(answer);
        });
        await using PublicSite site = await PublicSite.StartAsync(Sockets.Kinds.First(), origin.Port);
        WebResponse response = await site.AskAsync(PublicSite.Get("/"));
        Assert.Equal((502, $"the service of {PublicSite.Host} {words}\n"), (response.Status, response.Body));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_response_that_is_cut_off_does_not_look_whole(string sockets)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.SendAsync(PublicSite.Get("/"));
        await client.ReadHeadAsync();
        await client.Stream.ReadAsync(10);
        await Assert.ThrowsAsync<SocketException>(() => client.Stream.ReadToEndAsync());
        Assert.Equal((200, "service-failed"), ((await site.RecordsAsync(1))[0].Status, (await site.RecordsAsync(1))[0].Reason));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_agent_dies_its_requests_end_at_once(bool hasBegun)
    {
        await using SessionPair sessions = await SessionPair.StartAsync(Sockets.Kinds.First(), new SessionOptions());
        sessions.Unwatch();
        await using PublicSite site = await PublicSite.StartAsync(Sockets.Kinds.First());
        site.Register(async (_, token) => await sessions.Near.OfferAsync("", token));
        using WebClient client = await site.ConnectAsync();
        Task<SessionChannel> accepted = sessions.Far.AcceptAsync("", CancellationToken.None);
        await client.SendAsync(PublicSite.Get("/"));
        SessionChannel channel = await accepted.Within();
        await channel.ReadAsync(new byte[1], CancellationToken.None).Within();
        if (hasBegun)
        {
            await channel.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"u8.ToArray(), CancellationToken.None).Within();
            await client.ReadHeadAsync();
            Assert.Equal("hello", await client.Stream.ReadAsync(5));
        }
        sessions.Far.Abort();
        if (hasBegun) await Assert.ThrowsAsync<SocketException>(() => client.Stream.ReadToEndAsync());
        else Assert.Equal(503, (await client.ReadAsync()).Status);
        Assert.Equal("agent-gone", (await site.RecordsAsync(1))[0].Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_leaves_frees_the_service(string sockets)
    {
        var ended = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await Record.ExceptionAsync(stream.ReadToEndAsync);
            ended.SetResult();
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets);
        TunnelRegistration agent = site.Register(origin.Port);
        using (WebClient client = await site.ConnectAsync())
        {
            await client.SendAsync(PublicSite.Get("/"));
            await Deadline.Until(() => agent.Active == 1, "the agent is busy");
            client.Reset();
        }
        await ended.Task.Within();
        Assert.Equal("client-gone", (await site.RecordsAsync(1))[0].Reason);
        await Deadline.Until(() => agent.Active == 0, "the agent is free");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stop_lets_a_request_finish_and_waits_for_nobody_else(string sockets)
    {
        var asked = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            asked.SetResult();
            await release.Task;
            await stream.SendAsync(WebOrigin.Ok("done"));
        });
        await using PublicSite site = await PublicSite.StartAsync(sockets, origin.Port);
        using WebClient client = await site.ConnectAsync(), idle = await site.ConnectAsync();
        Assert.Equal(404, (await idle.AskAsync("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")).Status);
        await client.SendAsync(PublicSite.Get("/"));
        await asked.Task.Within();
        Task stopped = site.Gateway.StopAsync(TimeSpan.FromMinutes(2));
        // who has nothing under way is not waited for
        Assert.Equal("", await idle.Stream.ReadToEndAsync());
        release.SetResult();
        WebResponse response = await client.ReadAsync();
        Assert.Equal("done", response.Body);
        Assert.Contains("Connection: close", response.Fields);
        await stopped.Within();
        Assert.Equal(0, site.Gateway.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Idle_clients_and_connections_are_let_go_in_order(string sockets)
    {
        var ended = new TaskCompletionSource();
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync(WebOrigin.Ok("ok"));
            // .NET's sockets are reset when they are closed while a read waits
            await Record.ExceptionAsync(stream.ReadToEndAsync);
            ended.SetResult();
        });
        await using PublicSite site = await PublicSite.StartAsync(
            sockets, o => o with { KeepAliveTimeout = TimeSpan.FromMilliseconds(300), ServiceKeepAliveTimeout = TimeSpan.FromMilliseconds(300) });
        site.Register(origin.Port);
        using WebClient client = await site.ConnectAsync();
        await client.AskAsync(PublicSite.Get("/"));
        Assert.Equal("", await client.Stream.ReadToEndAsync());
        await ended.Task.Within();
        await House.QuietAsync(site.Gateway);
        Assert.Equal(0, site.Gateway.Counters.Failed);
    }
}
