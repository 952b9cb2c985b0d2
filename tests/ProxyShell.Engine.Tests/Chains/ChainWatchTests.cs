using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Probes in the background of a service, on a clock that only the test moves.</summary>
public sealed class ChainWatchTests : IAsyncLifetime
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly House _house = new(Sockets.Portable);
    private readonly Origin _origin = Origin.Echo();
    private readonly ManualTime _time = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task An_alternate_that_dies_is_noticed_and_rejoins_when_it_is_back_without_any_client()
    {
        ProxyServer first = await _house.ReturningProxyAsync(), second = await _house.ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await ListenAsync(new ProxyChain([group]));
        await UntilAsync(group, 0, AlternateState.Up);
        await UntilAsync(group, 1, AlternateState.Up);

        await first.StopAsync(TimeSpan.Zero).Within();
        await UntilAsync(group, 0, AlternateState.Down);
        ProxyEvent down = await House.EventAsync(listener, ProxyEventKind.Health);
        Assert.Equal($"{first.Uri} at place 1 is down: hop 1 (127.0.0.1:{first.LocalPort}): connection refused", down.Message);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, down.Reason);

        ProxyServer back = await _house.ReturningProxyAsync(first.LocalPort);
        await UntilAsync(group, 0, AlternateState.Up);
        await Deadline.Until(() => listener.Events.ToList()[^1].Message == $"{back.Uri} at place 1 is up again", "its return is told");
        Assert.Equal(AlternateState.Up, listener.Chain.GetHealth()[1].State);
        Assert.Equal(0, listener.Counters.Accepted);
    }

    [Fact]
    public async Task A_down_alternate_is_probed_less_and_less_often()
    {
        var probes = new List<DateTimeOffset>();
        await using Origin broken = Origin.Of(socket =>
        {
            lock (probes) probes.Add(_time.GetUtcNow());
            return Task.CompletedTask;
        });
        ProxyServer good = await _house.ProxyAsync();
        await ListenAsync(new ProxyChain([Group(Hop(broken), good.ToHop())]));
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                lock (probes) return probes.Count >= 9;
            },
            "nine probes");

        double[] pauses = [.. probes.Zip(probes.Skip(1), (one, next) => (next - one).TotalSeconds).Take(8)];
        // the clock runs on while a probe is under way, so only the lower end is exact
        double[] least = [0.9, 1.8, 3.6, 7.2, 14.4, 27, 27, 27];
        Assert.All(pauses.Zip(least), pause => Assert.True(pause.First >= pause.Second, string.Join(' ', pauses)));
    }

    [Fact]
    public async Task A_stopped_service_probes_no_more()
    {
        ProxyServer first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await ListenAsync(new ProxyChain([group]));
        await UntilAsync(group, 0, AlternateState.Up);
        await listener.StopAsync(TimeSpan.Zero).Within();
        await House.QuietAsync(first);
        long asked = first.Counters.Accepted;

        _time.Advance(10 * Interval);

        Assert.Equal(0, _time.Timers);
        Assert.Equal(asked, first.Counters.Accepted);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_probe_that_hangs()
    {
        await using Origin silent = Silent();
        ProxyServer good = await _house.ProxyAsync();
        AccessListener listener = await ListenAsync(new ProxyChain([Group(Hop(silent), good.ToHop())]));
        await Deadline.Until(() => silent.Accepted == 1, "the probe is under way");
        await listener.StopAsync(TimeSpan.Zero).Within(5);
    }

    [Fact]
    public async Task Only_groups_with_a_choice_are_probed()
    {
        ProxyServer alone = await _house.ProxyAsync(), first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        // the rule's chain is used by the same service
        AccessListener listener = await ListenAsync(new ProxyChain(alone.ToHop()), o => o with { Rules = [ProxyRule.Through(new ProxyChain([group]), [DestinationPattern.Parse("*.example")])] });
        await UntilAsync(group, 1, AlternateState.Up);
        Assert.Equal(0, alone.Counters.Accepted);
        Assert.Equal(2, listener.GetChains().Count);
    }

    [Fact]
    public async Task Services_that_share_a_group_share_its_probes()
    {
        ProxyServer first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        AccessListener one = await ListenAsync(new ProxyChain([group])), other = await ListenAsync(new ProxyChain(second.ToHop()) + group);
        await UntilAsync(group, 0, AlternateState.Up);
        DateTimeOffset start = _time.GetUtcNow();
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return first.Counters.Accepted >= 6;
            },
            "some probes");
        // one every 27 to 33 s; the clock had gone on since the first of them
        Assert.True(_time.GetUtcNow() - start > TimeSpan.FromSeconds(4 * 26), $"six probes within {_time.GetUtcNow() - start}");

        // and both tell of what they find, each with its own place
        await first.StopAsync(TimeSpan.Zero).Within();
        await UntilAsync(group, 0, AlternateState.Down);
        Assert.Contains("at place 1 is down", (await House.EventAsync(one, ProxyEventKind.Health)).Message, StringComparison.Ordinal);
        Assert.Contains("at place 2 is down", (await House.EventAsync(other, ProxyEventKind.Health)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exchange_of_the_chain_moves_the_probes()
    {
        ProxyServer first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        HopGroup old = Group(first.ToHop(), first.ToHop()), fresh = Group(second.ToHop(), second.ToHop());
        var outbound = new Outbound(new ChainConnector(Dialer.Default, _time), Routes(old));
        using var registry = new ConnectionRegistry(this, new ServiceIdentity("test", "Test", _time), 100);
        outbound.StartWatching(registry);
        await UntilAsync(old, 1, AlternateState.Up);

        outbound.Routes = Routes(fresh);
        await UntilAsync(fresh, 1, AlternateState.Up);
        await House.QuietAsync(first);
        long asked = first.Counters.Accepted, others = second.Counters.Accepted;
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return second.Counters.Accepted >= others + 4;
            },
            "the new ones are probed on");
        Assert.Equal(asked, first.Counters.Accepted);
        await outbound.StopWatchingAsync().AsTask().Within();
        Assert.Equal(0, _time.Timers);

        static RouteTable Routes(HopGroup group) => new(DestinationPolicy.AllowAll, new ProxyChain([group]), [], blockByDefault: false);
    }

    [Fact]
    public async Task The_one_that_answers_fastest_serves()
    {
        ProxyServer server = await _house.ProxyAsync();
        await using Tap near = new(server.LocalPort), far = new(server.LocalPort);
        Delay(near, 10);
        Delay(far, 40);
        HopGroup group = new([new HopAlternate(Hop(far)), new HopAlternate(Hop(near))], ChainSelection.LowestLatency);
        AccessListener listener = await ListenAsync(new ProxyChain([group]));

        await UntilServedByAsync(listener, group, near);
        Delay(near, 90);
        await UntilServedByAsync(listener, group, far);

        void Delay(Tap tap, int milliseconds) => tap.OnBytes = (towardsTarget, offset, _) =>
        {
            // the answer to the header comes first, then the echo
            if (!towardsTarget && offset > 0) _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        };
    }

    [Fact]
    public async Task A_probe_tells_who_is_to_blame_for_a_wait_in_vain()
    {
        await using Origin silent = Silent();
        using var deaf = new DeafListener();
        ProxyServer good = await _house.ProxyAsync(o => o with { ConnectTimeout = TimeSpan.FromMinutes(1) });
        HopGroup hung = Group(Hop(silent), good.ToHop()), innocent = Group(good.ToHop(), good.ToHop());
        // the destination does not answer, so that every connection waits in vain
        AccessListener listener = await _house.ListenAsync(
            HostEndpoint.From(deaf.EndPoint), new ProxyChain([innocent]), o => o with { TimeProvider = _time, Rules = [ProxyRule.Through(new ProxyChain([hung]), [DestinationPattern.Parse("*.example")])] });
        await UntilAsync(innocent, 0, AlternateState.Up);
        await UntilAsync(hung, 0, AlternateState.Down);

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Counters.Active == 1, "it is accepted");
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return listener.Counters.Failed == 1;
            },
            "the connection fails");
        await UntilAsync(innocent, 0, AlternateState.Up);
        Assert.DoesNotContain(listener.Events.ToList(), e => e.Kind == ProxyEventKind.Health && e.Message.StartsWith(good.Uri, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_alternate_is_not_blamed_for_a_hop_before_it()
    {
        ProxyServer gate = await _house.ProxyAsync(), first = await _house.ProxyAsync(), second = await _house.ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await ListenAsync(new ProxyChain(gate.ToHop()) + group);
        await UntilAsync(group, 1, AlternateState.Up);
        await gate.StopAsync(TimeSpan.Zero).Within();
        long asked = group.Choice![0].Snapshot(1, group.Alternates[0], default).LastProbe!.Value.Ticks;
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return group.Choice[0].Snapshot(1, group.Alternates[0], default).LastProbe!.Value.Ticks > asked;
            },
            "it is probed in vain");
        await listener.StopAsync(TimeSpan.Zero).Within();
        Assert.Equal(AlternateState.Up, group.Choice[0].State);
        Assert.Equal(AlternateState.Up, group.Choice[1].State);
    }

    [Fact]
    public async Task A_hop_of_another_protocol_is_reached_only()
    {
        await using Origin socks = Silent();
        ProxyServer good = await _house.ProxyAsync();
        HopGroup group = Group(ProxyHop.Parse($"socks5://{socks.Endpoint}"), good.ToHop());
        AccessListener listener = await ListenAsync(new ProxyChain([group]));
        await UntilAsync(group, 0, AlternateState.Up);
        Assert.NotNull(listener.Chain.GetHealth()[0].Latency);
    }

    [Fact]
    public async Task A_hop_of_another_protocol_behind_others_is_found_down()
    {
        ProxyServer gate = await _house.ProxyAsync(), dead = await _house.ProxyAsync(), good = await _house.ProxyAsync();
        await dead.StopAsync(TimeSpan.Zero).Within();
        HopGroup group = Group(ProxyHop.Parse($"socks5://127.0.0.1:{dead.LocalPort}"), good.ToHop());
        AccessListener listener = await ListenAsync(new ProxyChain(gate.ToHop()) + group);
        await UntilAsync(group, 0, AlternateState.Down);
        ProxyEvent down = await House.EventAsync(listener, ProxyEventKind.Health);
        Assert.Equal($"socks5://127.0.0.1:{dead.LocalPort} at place 2 is down: hop 2 (127.0.0.1:{dead.LocalPort}): connection refused", down.Message);
    }

    private async Task UntilServedByAsync(AccessListener listener, HopGroup group, Tap tap)
    {
        int wanted = group.Alternates.ToList().FindIndex(a => a.Hops[0].Address.Endpoint!.Port == tap.Port);
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(500));
                return group.Choice!.Order(_time)[0] == wanted;
            },
            "the other one is chosen");
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        client.EndSending();
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync());
        await House.QuietAsync(listener);
        Assert.Equal($"relay://127.0.0.1:{tap.Port}", (await House.EventAsync(listener, ProxyEventKind.Closed)).Connection!.Chain);
    }

    private Task UntilAsync(HopGroup group, int index, AlternateState state) => Deadline.Until(
        () =>
        {
            if (group.Choice![index].State == state) return true;
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return false;
        },
        $"alternate {index + 1} is {state}; it is {group.Choice![index].State}");

    private Task<AccessListener> ListenAsync(ProxyChain chain, Func<AccessListenerOptions, AccessListenerOptions>? change = null) =>
        _house.ListenAsync(_origin.Endpoint, chain, o => (change ?? (same => same))(o with { TimeProvider = _time }));

    private static Origin Silent() => Origin.Of(async socket =>
    {
        var buffer = new byte[1000];
        while (await socket.ReceiveAsync(buffer) > 0)
        {
        }
    });

    private static HopGroup Group(params ProxyHop[] hops) => new(hops.Select(hop => new HopAlternate(hop)));

    private static ProxyHop Hop(Origin origin) => ProxyHop.Parse($"relay://{origin.Endpoint}");

    private static ProxyHop Hop(Tap tap) => ProxyHop.Parse($"relay://127.0.0.1:{tap.Port}");
}
