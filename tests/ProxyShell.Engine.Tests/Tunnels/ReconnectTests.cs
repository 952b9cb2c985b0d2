using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>Connections between agent and gateway that break, and what follows.</summary>
public class ReconnectTests
{
    private const string Web = "http://127.0.0.1:9";

    private static TunnelGatewayOptions WithHttp(TunnelGatewayOptions options) => options with { HttpPort = 0 };

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_lost_agent_is_gone_at_once_and_back_with_its_name(string sockets)
    {
        await using Gatehouse house = await Gatehouse.StartAsync(sockets, WithHttp);
        TunnelAgent agent = await house.RegisterAsync(Web);
        TunnelDirectory directory = house.Gateway.Directory;
        TunnelRegistration before = directory.Find(agent.HostName, TunnelKind.Http).Registration!;
        foreach (ProxyConnection control in house.Gateway.GetConnections().Where(c => c.Protocol == "tunnel")) control.Abort();
        await Deadline.Until(() => before.IsLeaving, "the registration is over");
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => before.OpenAsync(new TunnelVisitor { Scheme = "http" }, CancellationToken.None).Within());
        Assert.Equal((ProxyErrorReason.ConnectionClosed, ProxyStage.Relay), (error.Reason, error.Stage));
        await Gatehouse.ConnectedAsync(agent, 2);
        TunnelLookup found = directory.Find(agent.HostName, TunnelKind.Http);
        Assert.Equal(TunnelLookupStatus.Found, found.Status);
        Assert.NotSame(before, found.Registration);
    }

    [Fact]
    public async Task A_killed_agent_leaves_its_name_gone_and_its_visitors_cut_off()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        RawAgent raw = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        int port = (await raw.RegisterAsync(house.Identity)).Port!.Value;
        using Client waiting = await Client.ConnectAsync(port);
        (await raw.Session.NextOfferAsync(CancellationToken.None).Within()).Accept();
        using Client pending = await Client.ConnectAsync(port);
        await raw.Session.NextOfferAsync(CancellationToken.None).Within();
        await raw.DisposeAsync();
        Assert.True(await waiting.IsClosedAsync());
        Assert.True(await pending.IsClosedAsync());
        Assert.Equal(TunnelLookupStatus.Gone, house.Gateway.Directory.Find($"tcp:{port}", TunnelKind.Tcp).Status);
        await Deadline.Until(() => house.Gateway.Counters.Active == 0, "nothing is left of it");
    }

    [Fact]
    public async Task Another_agent_of_the_name_takes_over()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        RawAgent doomed = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        int port = (await doomed.RegisterAsync(house.Identity)).Port!.Value;
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        Assert.Equal(port, agent.RemoteEndpoint!.Port);
        Assert.Equal(2, house.Gateway.GetTunnels().Count);
        // the visitor whose channel is on offer when its agent dies is led to the other one
        using Client one = await Client.ConnectAsync(port), two = await Client.ConnectAsync(port);
        await doomed.Session.NextOfferAsync(CancellationToken.None).Within();
        await doomed.DisposeAsync();
        foreach (Client client in new[] { one, two })
        {
            await client.SendAsync("hello");
            Assert.Equal(5, (await client.ReadAsync(5)).Length);
        }
    }

    // an agent that dies takes nobody with it whom it has not accepted, at whatever moment that is
    [Fact]
    public async Task Visitors_that_wait_for_an_agent_that_dies_are_all_served_by_the_other()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}");
        for (int round = 1; round <= 20; round++)
        {
            RawAgent doomed = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
            await doomed.RegisterAsync(house.Identity);
            Task<byte[]>[] visitors = [.. Enumerable.Range(0, 16).Select(_ => VisitAsync(agent.RemoteEndpoint!.Port))];
            // some are on offer to it by then, some on their way
            await doomed.Session.NextOfferAsync(CancellationToken.None).Within();
            await doomed.DisposeAsync();
            foreach (Task<byte[]> visitor in visitors) Assert.Equal(5, (await visitor).Length);
        }

        static async Task<byte[]> VisitAsync(int port)
        {
            using Client client = await Client.ConnectAsync(port);
            await client.SendAsync("hello");
            client.EndSending();
            return await client.ReadToEndAsync();
        }
    }

    [Fact]
    public async Task An_agent_comes_back_to_a_gateway_that_was_restarted()
    {
        await using Origin origin = Origin.Echo();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { SessionName = "one" });
        TunnelAgent other = await house.RegisterAsync($"tcp://{origin.Endpoint}", o => o with { SessionName = "two" });
        string[] urls = [agent.Url, other.Url];
        await house.RestartAsync();
        await Gatehouse.ConnectedAsync(agent, 2);
        await Gatehouse.ConnectedAsync(other, 2);
        // without a state file the agents' own memory serves
        Assert.Equal((urls[0], urls[1]), (agent.Url, other.Url));
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await client.SendAsync("hello");
        Assert.Equal(5, (await client.ReadAsync(5)).Length);
    }

    [Fact]
    public async Task An_agent_tries_until_there_is_a_gateway_and_says_so()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        TunnelGatewayOptions options = house.Gateway.Options;
        await house.Gateway.StopAsync().Within();
        TunnelAgent agent = house.Agent(Web, o => o with { Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{options.LocalPort}") });
        await agent.StartAsync().Within();
        await Deadline.Until(() => agent.State == TunnelAgentState.Reconnecting, "it waits for the next attempt");
        Assert.Matches($@"^reconnecting in [01] s: gateway tunnel://127\.0\.0\.1:{options.LocalPort}: connection refused$", agent.StatusMessage);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, agent.LastError!.Reason);
        await house.RestartAsync(_ => options);
        await Gatehouse.ConnectedAsync(agent, 1);
        Assert.Equal("connected", agent.StatusMessage);
    }

    [Fact]
    public async Task A_frozen_peer_is_noticed_by_both_sides()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => WithHttp(o) with { SilenceLimit = TimeSpan.FromSeconds(1) });
        var frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isFrozen = false;
        // the bytes stop in both directions, and no connection ends
        await using var network = new Tap(house.Gateway.LocalPort)
        {
            OnBytes = (_, _, _) =>
            {
                while (Volatile.Read(ref isFrozen) && !frozen.Task.IsCompleted) Thread.Yield();
            },
        };
        TunnelAgent agent = await house.RegisterAsync(Web, o => o with { Gateway = GatewayAddress.Parse($"tunnel://127.0.0.1:{network.Port}"), SilenceLimit = TimeSpan.FromSeconds(1), HandshakeTimeout = TimeSpan.FromSeconds(1) });
        await Deadline.Until(() => house.Gateway.GetTunnels()[0].RoundTrip is not null && agent.RoundTrip is not null, "both have heard of each other");
        Volatile.Write(ref isFrozen, true);
        await Deadline.Until(() => house.Gateway.Directory.Find(agent.HostName, TunnelKind.Http).Status == TunnelLookupStatus.Gone, "the gateway has noticed");
        await Deadline.Until(() => agent.State != TunnelAgentState.Connected, "the agent has noticed");
        Assert.Equal(ProxyErrorReason.TimedOut, (await House.EventAsync(house.Gateway, ProxyEventKind.Failed)).Reason);
        Assert.Equal(ProxyErrorReason.TimedOut, agent.LastError!.Reason);
        frozen.SetResult();
        await Gatehouse.ConnectedAsync(agent, 2);
    }

    // as when the machine has moved to another network: the old connection is dead, and nobody has said so
    [Fact]
    public async Task An_agent_that_comes_back_before_it_was_missed_takes_its_own_place()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, o => o with { MaxTunnelsPerKey = 1 });
        await using RawAgent before = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        RegistrationClaims Claims(ControlMessage challenge) => RawAgent.Claims(challenge) with { Tunnel = new TunnelRequest { Kind = "tcp", Instance = "me" } };
        await before.RegisterAsync(house.Identity, Claims(await before.ChallengeAsync()));
        int port = (await before.ExpectAsync("registered")).Port!.Value;
        await using RawAgent after = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        await after.RegisterAsync(house.Identity, Claims(await after.ChallengeAsync()));
        Assert.Equal(port, (await after.ExpectAsync("registered")).Port);
        await before.Session.Completion.Within();
        Assert.Single(house.Gateway.GetTunnels());
        using Client client = await Client.ConnectAsync(port);
        (await after.Session.NextOfferAsync(CancellationToken.None).Within()).Accept();
        // it is the key's own word only
        await using RawAgent stranger = await RawAgent.ConnectAsync(house.Gateway.LocalPort);
        await stranger.RegisterAsync(house.NewIdentity(), Claims(await stranger.ChallengeAsync()));
        await stranger.ExpectAsync("registered");
        Assert.Equal(2, house.Gateway.GetTunnels().Count);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_holds_no_reconnect_up()
    {
        using var deaf = new DeafListener();
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable);
        TunnelAgent agent = await house.RegisterAsync($"tcp://{deaf.EndPoint}", o => o with { ConnectTimeout = TimeSpan.FromMinutes(5) });
        using Client client = await Client.ConnectAsync(agent.RemoteEndpoint!.Port);
        await Deadline.Until(() => agent.Counters.Active == 1, "the agent tries to reach its service");
        foreach (ProxyConnection control in house.Gateway.GetConnections().Where(c => c.Protocol == "tunnel")) control.Abort();
        await Deadline.Until(() => agent.Registrations == 2, "it is back", 4);
    }

    [Fact]
    public async Task A_kicked_agent_is_told_and_comes_back_slowly()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        TunnelAgent agent = await house.RegisterAsync(Web);
        Assert.Equal(0, await house.Gateway.KickAsync("nobody").Within());
        Assert.Equal(1, await house.Gateway.KickAsync(agent.HostName.ToUpperInvariant()).Within());
        await Deadline.Until(() => agent.LastError is not null, "the agent knows");
        Assert.Equal((ProxyErrorReason.Aborted, $"gateway {house.Address}: the gateway's operator has ended the tunnel"), (agent.LastError!.Reason, agent.LastError.Message));
        await Gatehouse.ConnectedAsync(agent, 2);
    }

    [Fact]
    public async Task A_refusal_after_the_first_registration_is_retried_and_told()
    {
        await using Gatehouse house = await Gatehouse.StartAsync(Sockets.Portable, WithHttp);
        TunnelAgent agent = await house.RegisterAsync(Web);
        await house.RestartAsync(o => o with { Token = new TunnelToken("secret") });
        await Deadline.Until(() => agent.StatusMessage.Contains("a token is required", StringComparison.Ordinal), "the refusal is told");
        house.Gateway.Reconfigure(house.Gateway.Options with { Token = null });
        await Gatehouse.ConnectedAsync(agent, 2);
    }

    [Fact]
    public void Waits_grow_to_the_longest_and_begin_anew()
    {
        var backOff = new ReconnectBackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        foreach (int whole in new[] { 1, 2, 4, 8, 10, 10 }) Assert.InRange(backOff.Next().TotalSeconds, whole / 2.0, whole);
        backOff.Reset();
        Assert.InRange(backOff.Next().TotalSeconds, 0.5, 1);
    }
}
