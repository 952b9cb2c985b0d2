using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>Connections to services that are kept between requests, as their agents see them.</summary>
public class RestingConnectionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_is_not_needed_any_more_is_no_failure_of_the_agent(bool leaves)
    {
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            await stream.ReadHeadAsync();
            await stream.SendAsync(WebOrigin.Ok("ok"));
            await stream.ReadToEndAsync();
        });
        TimeSpan rest = TimeSpan.FromSeconds(leaves ? 60 : 0.2);
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { HttpPort = 0, Http = new TunnelHttpOptions { ServiceKeepAliveTimeout = rest } });
        TunnelAgent agent = await house.RegisterAsync($"http://127.0.0.1:{origin.Port}", o => o with { HostName = "blog" });
        using (WebClient client = await WebClient.ConnectAsync(house.Gateway.HttpPort))
        {
            Assert.Equal(200, (await client.AskAsync("GET / HTTP/1.1\r\nHost: blog.localhost\r\n\r\n")).Status);
            if (leaves) await agent.StopAsync().Within();
            else await Deadline.Until(() => agent.Counters.Active == 0, "the connection is closed after its rest");
        }
        Assert.DoesNotContain(agent.Events.ToList(), item => item.Kind == ProxyEventKind.Failed);
        Assert.Equal((1, 0), (agent.Counters.Accepted, agent.Counters.Failed));
    }
}
