using System.Net;
using System.Reflection;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Serving;

/// <summary>Options that change while the service runs.</summary>
public class ReconfigureTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_chain_is_swapped_under_load_and_nobody_notices(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain one, ProxyServer[] first) = await house.ChainAsync(1);
        (ProxyChain two, ProxyServer[] second) = await house.ChainAsync(2);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, one, o => o with { EventCapacity = 1_000_000 });
        using Client early = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(early);
        using var stop = new CancellationTokenSource();
        Task<int>[] load = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(() => LoadAsync(listener.LocalPort, stop.Token)))];

        for (int i = 1; i <= 40; i++)
        {
            long accepted = listener.Counters.Accepted;
            listener.Reconfigure(listener.Options with { Chain = i % 2 == 1 ? two : one });
            await Deadline.Until(() => listener.Counters.Accepted > accepted + 8, "the load goes on");
        }

        await stop.CancelAsync();
        int echoes = (await Task.WhenAll(load).Within(60)).Sum();
        await AssertEchoesAsync(early);
        early.Dispose();
        await House.QuietAsync(listener);
        Assert.Equal((echoes + 1, 0L, 0L), (listener.Counters.Accepted, listener.Counters.Failed, listener.Counters.Refused));
        Assert.True(first[0].Counters.Accepted > 20 && second[1].Counters.Accepted > 20, "both chains were taken");
        Assert.Equal(40, listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Reconfigured));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Limits_hold_from_now_on_and_open_connections_live(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        using Client first = await Client.ConnectAsync(listener.LocalPort), second = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(first, second);

        listener.Reconfigure(listener.Options with { MaxConnectionsPerClient = 2 });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        using Client neighbour = await Client.ConnectAsync(listener.LocalPort, IPAddress.Parse("127.0.0.2"));
        await AssertEchoesAsync(neighbour);

        listener.Reconfigure(listener.Options with { MaxConnectionsPerClient = 0, MaxConnections = 1 });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        listener.Reconfigure(listener.Options with { MaxConnections = 10, DenySource = [SourceNetwork.Parse("127.0.0.1")] });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        await AssertEchoesAsync(first, second, neighbour);

        listener.Reconfigure(listener.Options with { DenySource = [] });
        using Client late = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(late);
        Assert.Equal(
            [
                "changed MaxConnectionsPerClient from 0 to 2",
                "changed MaxConnections from 20000 to 1; MaxConnectionsPerClient from 2 to 0",
                "changed MaxConnections from 1 to 10; DenySource from none to 127.0.0.1",
                "changed DenySource from 127.0.0.1 to none",
            ],
            listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Reconfigured).Select(e => e.Message));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_bandwidth_limit_is_felt_by_open_connections(string sockets)
    {
        const int Rate = 100_000, Tick = Rate / 50;
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(client);
        foreach (bool perClient in new[] { false, true })
        {
            long before = listener.Counters.BytesSent;
            listener.Reconfigure(listener.Options with { BandwidthLimit = perClient ? 0 : Rate, ClientBandwidthLimit = perClient ? Rate : 0 });
            byte[] sent = RandomBytes.Of(20 * Tick);
            await client.SendAsync(sent);
            await Deadline.Until(() => listener.Counters.BytesSent - before == Tick, "one turn has passed, and no more may");

            listener.Reconfigure(listener.Options with { BandwidthLimit = 0, ClientBandwidthLimit = 0 });
            Task<byte[]> answer = client.ReadAsync(sent.Length);
            await Deadline.Until(
                () =>
                {
                    time.Advance(TimeSpan.FromMilliseconds(1));
                    return answer.IsCompleted;
                },
                "the limit is lifted");
            Assert.Equal(sent, await answer);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_idle_limit_is_felt_by_open_connections(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(client);
        listener.Reconfigure(listener.Options with { IdleTimeout = TimeSpan.FromSeconds(10) });
        for (int i = 0; i < 6; i++) time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.True(await client.IsClosedAsync());
        Assert.Equal(ProxyErrorReason.IdleTimeout, (await House.EventAsync(listener, ProxyEventKind.Failed)).Reason);
    }

    [Fact]
    public async Task Keys_change_for_new_clients_and_are_not_told()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        ProxyKey old = ProxyKey.Create(), renewed = ProxyKey.Create();
        ProxyServer server = await house.ProxyAsync(o => o with { Keys = [old] });
        ProxyHop hop = server.ToHop();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(hop));
        using Client early = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(early);

        server.Reconfigure(server.Options with { Keys = [renewed] });

        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        listener.Reconfigure(listener.Options with { Chain = new ProxyChain(hop with { Key = renewed }) });
        using Client late = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(early, late);
        string told = (await House.EventAsync(server, ProxyEventKind.Reconfigured)).Message + (await House.EventAsync(listener, ProxyEventKind.Reconfigured)).Message;
        Assert.Equal("changed Keyschanged Chain", told);
    }

    [Fact]
    public async Task A_replay_is_noticed_across_a_change()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        var key = ProxyKey.Create();
        ProxyServer server = await house.ProxyAsync(o => o with { Keys = [key] });
        await using var tap = new Tap(server.LocalPort);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay://127.0.0.1:{tap.Port}") with { Key = key }));
        byte[]? header = null;
        tap.OnBytes = (towards, offset, bytes) =>
        {
            if (towards && offset == 0) header = [.. bytes];
        };
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(client);

        server.Reconfigure(server.Options with { MaxConnections = 100 });

        using Client replayer = await Client.ConnectAsync(server.LocalPort);
        await replayer.SendAsync(header!);
        await replayer.ReadToEndAsync();
        Assert.Equal(ProxyErrorReason.Replayed, (await House.EventAsync(server, ProxyEventKind.Refused)).Reason);
    }

    [Fact]
    public async Task Destinations_and_rules_change_at_once()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop()));
        ProxyServerOptions open = server.Options;
        foreach (ProxyServerOptions closed in new[]
        {
            open with { DenyDestination = [DestinationPattern.Parse("127.0.0.1")] },
            open with { Rules = [ProxyRule.Block([DestinationPattern.Parse("*")])] },
            open with { BlockByDefault = true },
        })
        {
            server.Reconfigure(closed);
            await Client.AssertTurnedAwayAsync(listener.LocalPort);
            server.Reconfigure(open);
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            await AssertEchoesAsync(client);
        }
        Assert.Contains(server.Events.ToList(), e => e.Message == "changed Rules from none to block *");
    }

    [Fact]
    public async Task Certificates_change_and_TLS_stays()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        ProxyServer server = await house.ProxyAsync(o => o with { Certificate = Certificates.Localhost });
        server.Reconfigure(server.Options with { Certificate = Certificates.SelfSigned("renewed") });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop()));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(client);
        Assert.Equal("changed Certificate from CN=localhost to CN=renewed", (await House.EventAsync(server, ProxyEventKind.Reconfigured)).Message);
    }

    [Fact]
    public async Task What_cannot_change_is_refused_by_name_and_nothing_changes()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        AccessListener listener = await house.ListenAsync(new HostEndpoint("a", 1));
        ProxyServerOptions options = server.Options;
        Refused(options with { Name = "other" }, $"A running service cannot change Name from none to other: stop it and start another.");
        Refused(options with { LocalAddress = "*", AllowAnonymous = true }, "A running service cannot change LocalAddress from 127.0.0.1 to *: stop it and start another.");
        Refused(options with { LocalPort = 8080 }, "A running service cannot change LocalPort from 0 to 8080: stop it and start another.");
        Refused(options with { Certificate = Certificates.Localhost }, "A running service cannot change TLS from off to on: stop it and start another.");
        Refused(options with { Protocols = ProxyProtocols.Socks5 }, "A running service cannot change Protocols from All to Socks5: stop it and start another.");
        Refused(options with { Keys = [ProxyKey.Create()] }, "A running service cannot change Protocols from All to Relay: stop it and start another.");
        Refused(options with { ClockWindow = TimeSpan.FromMinutes(1) }, "A running service cannot change ClockWindow from 00:00:30 to 00:01:00: stop it and start another.");
        Refused(options with { MaxConnections = 0, BandwidthLimit = 5000 }, "MaxConnections is '0'; it must be 1 or more.");
        Assert.Equal(
            "A running service cannot change Destination from a:1 to b:2: stop it and start another.",
            Assert.Throws<FormatException>(() => listener.Reconfigure(listener.Options with { Destination = new HostEndpoint("b", 2) })).Message);
        Assert.Same(options, server.Options);
        Assert.DoesNotContain(server.Events.ToList(), e => e.Kind == ProxyEventKind.Reconfigured);

        server.Reconfigure(options with { });
        Assert.DoesNotContain(server.Events.ToList(), e => e.Kind == ProxyEventKind.Reconfigured);
        await server.StopAsync(TimeSpan.Zero).Within();
        Assert.Throws<InvalidOperationException>(() => server.Reconfigure(options with { MaxConnections = 5 }));

        void Refused(ProxyServerOptions asked, string message) => Assert.Equal(message, Assert.Throws<FormatException>(() => server.Reconfigure(asked)).Message);
    }

    [Fact]
    public async Task Strangers_are_not_let_in_by_a_change()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { LocalAddress = "0.0.0.0", Protocols = ProxyProtocols.Relay, Keys = [ProxyKey.Create()] });
        FormatException error = Assert.Throws<FormatException>(() => server.Reconfigure(server.Options with { Keys = [] }));
        Assert.Contains("nothing authenticates them", error.Message, StringComparison.Ordinal);
        server.Reconfigure(server.Options with { Keys = [ProxyKey.Create()] });
    }

    // an option that is added is compared and told of, or says that it cannot change
    [Theory]
    [InlineData(typeof(ProxyServerOptions))]
    [InlineData(typeof(AccessListenerOptions))]
    [InlineData(typeof(TunnelGatewayOptions))]
    [InlineData(typeof(StripedPipeEntryOptions))]
    [InlineData(typeof(StripedPipeExitOptions))]
    public void Every_option_is_compared(Type type)
    {
        var options = (ServiceOptions)Activator.CreateInstance(type)!;
        // what is in a record of its own is told as Record.Option
        Assert.Empty(SettableOf(type).Except(options.Values.Select(v => v.Name.Split('.')[0])));
    }

    // an agent that has changed is replaced, so all of its options have to be compared too
    [Fact]
    public void Every_option_of_an_agent_is_compared()
    {
        using var identity = TunnelIdentity.Create();
        var options = new TunnelAgentOptions { Gateway = GatewayAddress.Parse("tunnel://h:1"), Destination = TunnelDestination.Parse("http://h"), Identity = identity };
        string[] compared = [.. options.Values.Select(value => value.Name)];
        Assert.Equal(["Settings"], SettableOf(typeof(TunnelAgentOptions)).Except(compared));
        Assert.Empty(SettableOf(typeof(TunnelSettings)).Select(name => $"Settings.{name}").Except(compared));
    }

    [Fact]
    public void An_introduction_can_be_switched()
    {
        var options = new AccessListenerOptions { Destination = new HostEndpoint("a", 1) };
        var listener = new AccessListener(options);
        listener.Reconfigure(options with { SendProxyProtocol = ProxyHeaderVersion.V2, AcceptProxyProtocol = true });
        Assert.Equal("changed AcceptProxyProtocol from False to True; SendProxyProtocol from None to V2", listener.Events.ToList()[^1].Message);
    }

    private static IEnumerable<string> SettableOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).Where(p => p.SetMethod is not null).Select(p => p.Name);

    private static async Task<int> LoadAsync(int port, CancellationToken stop)
    {
        int echoes = 0;
        for (; !stop.IsCancellationRequested; echoes++)
        {
            using Client client = await Client.ConnectAsync(port);
            await AssertEchoesAsync(client);
            client.EndSending();
            Assert.Empty(await client.ReadToEndAsync());
        }
        return echoes;
    }

    private static async Task AssertEchoesAsync(params Client[] clients)
    {
        foreach (Client client in clients)
        {
            await client.SendAsync("hello");
            Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
        }
    }
}
