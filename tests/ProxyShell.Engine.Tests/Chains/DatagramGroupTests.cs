using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Datagrams through chains with alternates: a flow takes one way, the next flow perhaps another.</summary>
public sealed class DatagramGroupTests : IAsyncLifetime
{
    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();
    private readonly House _house = new(Sockets.Portable);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task An_alternate_whose_way_cannot_be_opened_is_passed_over()
    {
        ProxyServer relay = await ProxyAsync();
        HopGroup group = Group(ProxyHop.Parse("relay://no-such-host.invalid:4100"), relay.ToHop());
        AccessListener listener = await ListenAsync(group);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("hello");
        Assert.Equal(relay.ToHop().Uri, Assert.Single(listener.GetConnections()).Chain);
    }

    [Fact]
    public async Task When_a_hop_dies_the_flow_ends_and_the_next_takes_another()
    {
        ProxyServer first = await ProxyAsync(), second = await ProxyAsync();
        HopGroup group = Group(first.ToHop(), second.ToHop());
        AccessListener listener = await ListenAsync(group);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("hello");
        await first.StopAsync(TimeSpan.Zero).Within();
        // the system tells of the closed port only when somebody sends to it
        await Deadline.Until(
            () =>
            {
                client.Send("lost");
                return listener.Counters.Failed > 0;
            },
            "the flow ends");
        await Deadline.Until(() => group.Choice![0].State == AlternateState.Down, "a probe finds the hop dead");

        using var next = new DatagramClient(listener.LocalPort);
        await next.AssertEchoAsync("again");
        Assert.Contains(listener.GetConnections(), flow => flow.Chain == second.ToHop().Uri);
        Assert.Equal(1, listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Health));
    }

    private Task<ProxyServer> ProxyAsync() => _house.ProxyAsync(o => o with { Udp = true });

    private Task<AccessListener> ListenAsync(HopGroup group) => _house.ListenAsync(_origin.Endpoint, new ProxyChain([group]), o => o with { Udp = true });

    private static HopGroup Group(params ProxyHop[] hops) => new(hops.Select(hop => new HopAlternate(hop)));
}
