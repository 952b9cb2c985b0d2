using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Either side stops, and visitors finish.</summary>
public class LeavingTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_agent_that_stops_lets_its_visitors_finish_and_takes_no_new_ones(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(sockets);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        int port = agent.RemoteEndpoint!.Port;
        using Client client = await Client.ConnectAsync(port);
        await client.SendAsync("one");
        await client.ReadAsync(3);
        Task stopping = agent.StopAsync(Grace);
        await Deadline.Until(() => house.Gateway.GetTunnels()[0].IsDraining, "the gateway knows");
        Assert.Equal("stopping", agent.StatusMessage);
        await Client.AssertTurnedAwayAsync(port);
        await client.SendAsync("two");
        await client.ReadAsync(3);
        Assert.False(stopping.IsCompleted);
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await stopping.Within();
        Assert.Equal("stopped", agent.StatusMessage);
        await Deadline.Until(() => house.Gateway.GetTunnels().Count == 0, "it has left");
        // in order, so nothing is awaited
        Assert.Equal(TunnelLookupStatus.Unknown, house.Gateway.Directory.Find($"tcp:{port}", TunnelKind.Tcp).Status);
        Assert.Equal(0, agent.Counters.Failed);
    }

    [Fact]
    public async Task At_the_end_of_the_grace_time_visitors_are_cut_off()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await client.SendAsync("one");
        await client.ReadAsync(3);
        await agent.StopAsync(TimeSpan.FromSeconds(0.2)).Within();
        Assert.True(await client.IsClosedAsync());
        Assert.Equal(0, agent.Counters.Active);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_gateway_that_stops_lets_visitors_finish_and_its_agents_go(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(sockets);
        TunnelAgent busy = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        TunnelAgent idle = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { SessionName = "idle" });
        using Client client = await Client.ConnectAsync(busy.RemoteEndpoint!.Port);
        await client.SendAsync("one");
        await client.ReadAsync(3);
        Task stopping = house.Gateway.StopAsync(Grace);
        await Deadline.Until(() => idle.State != TunnelAgentState.Connected, "the idle agent has gone");
        await client.SendAsync("two");
        await client.ReadAsync(3);
        Assert.False(stopping.IsCompleted);
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await stopping.Within();
        await house.RestartAsync();
        await Gatehouse.ConnectedAsync(busy, 2);
        await Gatehouse.ConnectedAsync(idle, 2);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_an_agent_that_does_not_answer()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        await using RawAgent raw = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        await raw.RegisterAsync(house.Identity);
        await house.Gateway.StopAsync(TimeSpan.FromSeconds(0.2)).Within(10);
        Assert.Equal(ServiceState.Stopped, house.Gateway.State);
        await raw.Session.Completion.Within();
    }

    [Fact]
    public async Task An_agent_can_be_stopped_at_any_time()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        using var deaf = new DeafListener();
        TunnelAgent created = house.Agent("tcp://127.0.0.1:9");
        await created.StopAsync().Within();
        await Assert.ThrowsAsync<InvalidOperationException>(() => created.StartAsync());
        TunnelAgent connecting = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnel://{deaf.EndPoint}") });
        Task starting = connecting.StartAsync();
        await connecting.StopAsync().Within();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.Within());
        TunnelAgent given = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnel://{deaf.EndPoint}") });
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.StartAsync(giveUp.Token).Within());
        Assert.Equal(TunnelAgentState.Stopped, given.State);
        TunnelAgent waiting = house.Agent("tcp://127.0.0.1:9", o => o with { Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{Ports.Take()}"), FirstRetry = TimeSpan.FromHours(1), MaxRetry = TimeSpan.FromHours(1) });
        await waiting.StartAsync().Within();
        Assert.Equal(TunnelAgentState.Reconnecting, waiting.State);
        await waiting.StopAsync().Within();
        await waiting.Completion.Within();
    }

    [Fact]
    public async Task Events_tell_the_life_of_an_agent()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync("tcp://127.0.0.1:9");
        await house.RestartAsync();
        await Gatehouse.ConnectedAsync(agent, 2);
        await agent.StopAsync().Within();
        List<ProxyEventKind> kinds = [.. agent.Events.ToList().Select(e => e.Kind)];
        Assert.Equal((ProxyEventKind.Started, ProxyEventKind.Warning, ProxyEventKind.Stopped), (kinds[0], kinds[1], kinds[^1]));
        Assert.Equal($"{agent.Url} leads to tcp://127.0.0.1:9", agent.Events.ToList()[0].Message);
        Assert.Contains("; reconnecting in ", agent.Events.ToList()[1].Message, StringComparison.Ordinal);
    }
}
