using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>The test of a chain with alternates: all of them are tested, and the way goes on behind one that works.</summary>
public sealed class GroupTestingTests : IAsyncLifetime
{
    private readonly House _house = new(Sockets.Portable);
    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task Each_alternate_is_a_row_of_its_place()
    {
        (ProxyChain servers, ProxyServer[] all) = await _house.ChainAsync(5);
        IReadOnlyList<ProxyHop> hops = servers.Hops;
        await all[1].StopAsync(TimeSpan.Zero).Within();
        var group = new HopGroup([new HopAlternate([hops[1], hops[2]]), new HopAlternate([hops[2], hops[3]])]);
        ProxyChain chain = new ProxyChain(hops[0]) + group + hops[4];

        List<HopTestResult> rows = await new ChainTester().TestAsync(chain, _origin.Endpoint).ToListAsync();

        Assert.Equal(
            [
                "1 - 1 Hop Ok", "2 1 2 Hop Failed", "2 1 3 Hop NotReached", "2 2 2 Hop Ok", "2 2 3 Hop Ok", "3 - 4 Hop Ok", "4 - 5 Destination Ok",
            ],
            rows.Select(r => $"{r.Place} {r.Alternate?.ToString() ?? "-"} {r.Hop} {r.Kind} {r.Status}"));
        Assert.Equal(chain.Hops.Select(hop => hop.Endpoint), rows.SkipLast(1).Select(r => r.Endpoint));
        Assert.Equal($"hop 2 ({hops[1].Endpoint}): connection refused", rows[1].Error!.Message);
        Assert.Equal([hops[0], hops[2], hops[3], hops[4]], rows[^1].Hops);
    }

    [Fact]
    public async Task Behind_a_place_where_nothing_works_nothing_is_reached()
    {
        (ProxyChain servers, ProxyServer[] all) = await _house.ChainAsync(3);
        foreach (ProxyServer server in all[..2]) await server.StopAsync(TimeSpan.Zero).Within();
        var group = new HopGroup([new HopAlternate(servers.Hops[0]), new HopAlternate(servers.Hops[1])]);

        List<HopTestResult> rows = await new ChainTester().TestAsync(new ProxyChain([group]) + servers.Hops[2], _origin.Endpoint).ToListAsync();

        Assert.Equal([HopTestStatus.Failed, HopTestStatus.Failed, HopTestStatus.NotReached, HopTestStatus.NotReached], rows.Select(r => r.Status));
    }

    [Theory]
    [InlineData("socks5")]
    [InlineData("http")]
    [InlineData("relay")]
    public async Task A_hop_that_cannot_be_reached_is_called_a_hop_in_mixed_chains(string scheme)
    {
        (ProxyChain servers, ProxyServer[] all) = await _house.ChainAsync(3);
        await all[2].StopAsync(TimeSpan.Zero).Within();
        ProxyHop gate = ProxyHop.Parse($"socks5://{servers.Hops[0].Endpoint}"), gone = ProxyHop.Parse($"{scheme}://{servers.Hops[2].Endpoint}");

        List<HopTestResult> rows = await new ChainTester().TestAsync(new ProxyChain(gate, servers.Hops[1], gone), _origin.Endpoint).ToListAsync();

        Assert.Equal([HopTestStatus.Ok, HopTestStatus.Ok, HopTestStatus.Failed, HopTestStatus.NotReached], rows.Select(r => r.Status));
        Assert.Equal($"hop 3 ({gone.Endpoint}): connection refused", rows[2].Error!.Message);
        Assert.Equal(3, rows[2].Error!.HopNumber);
    }
}
