using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Chains with alternates as values: what they hold, how they compose and show, and what is refused.</summary>
public class GroupTests
{
    private static readonly ProxyHop A = Hop("a"), B = Hop("b"), C = Hop("c"), D = Hop("d");

    [Fact]
    public void Alternates_stand_in_parentheses()
    {
        var group = new HopGroup([new HopAlternate(B), new HopAlternate([C, D])]);
        Assert.Equal("(relay://b:1 | relay://c:1 > relay://d:1)", group.ToString());
        Assert.Equal("relay://a:1 > (relay://b:1 | relay://c:1 > relay://d:1) > relay://a:1", (new ProxyChain(A) + group + A).ToString());
    }

    [Fact]
    public void A_place_with_one_alternate_is_like_its_hops()
    {
        var chain = new ProxyChain([new HopGroup([new HopAlternate([A, B])]), new HopGroup(C)]);
        Assert.Equal("relay://a:1 > relay://b:1 > relay://c:1", chain.ToString());
        Assert.False(chain.HasAlternates);
        Assert.Equal([A, B, C], chain.Path.Hops);
        Assert.Empty(chain.GetHealth());
    }

    [Fact]
    public void Hops_are_those_of_all_alternates_in_order()
    {
        ProxyChain chain = new ProxyChain(A) + Group(B, C) + D;
        Assert.Equal([A, B, C, D], chain.Hops);
        Assert.Equal((4, 3, true), (chain.Count, chain.Places.Count, chain.HasAlternates));
    }

    [Fact]
    public void Chains_that_hold_the_same_group_share_it()
    {
        HopGroup group = Group(B, C);
        ProxyChain one = new ProxyChain(A) + group, other = one + D;
        Assert.Same(group, one.Places[1]);
        Assert.Same(group, other.Places[1]);
    }

    [Fact]
    public void The_longest_way_counts_for_the_limit()
    {
        ProxyHop[] half = [.. Enumerable.Repeat(A, 16)];
        ProxyChain full = new ProxyChain(half) + new HopGroup([new HopAlternate(half), new HopAlternate(B)]);
        Assert.Equal(33, full.Count);
        Assert.Equal("A chain has at most 32 hops, not 33.", Assert.Throws<FormatException>(() => full + C).Message);
    }

    [Fact]
    public void A_chain_side_by_side_with_another_is_an_alternate()
    {
        var group = new HopGroup([HopAlternate.From(A + B, weight: 3), HopAlternate.From(new ProxyChain(C))], ChainSelection.Random);
        Assert.Equal("(relay://a:1 > relay://b:1 | relay://c:1)", group.ToString());
        Assert.Equal((3, 1, ChainSelection.Random), (group.Alternates[0].Weight, group.Alternates[1].Weight, group.Selection));
    }

    [Fact]
    public void Groups_in_groups_are_refused() => Assert.Equal(
        "A group cannot stand in another group: (relay://b:1 | relay://c:1) has alternates of its own. List all alternates in one group.",
        Assert.Throws<FormatException>(() => HopAlternate.From(new ProxyChain([Group(B, C)]))).Message);

    [Fact]
    public void A_payload_key_belongs_to_the_whole_chain()
    {
        ProxyKey key = ProxyKey.Create();
        Assert.Contains("payload key", Assert.Throws<FormatException>(() => HopAlternate.From(new ProxyChain(A) { PayloadKey = key })).Message, StringComparison.Ordinal);
        var foreign = ProxyHop.Parse("socks5://s:1080");
        Assert.Contains("socks5://s:1080 is no relay hop", Assert.Throws<FormatException>(() => new ProxyChain([Group(A, foreign)]) { PayloadKey = key }).Message, StringComparison.Ordinal);
        Assert.Same(key, (new ProxyChain([Group(A, B)]) { PayloadKey = key }).Path.PayloadKey);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(HopAlternate.MaxWeight + 1)]
    public void A_weight_is_at_least_1(int weight) =>
        Assert.Equal($"The weight of an alternate is 1 to 1000000, not {weight}.", Assert.Throws<FormatException>(() => new HopAlternate(A, weight)).Message);

    [Fact]
    public void Nothing_is_no_alternate()
    {
        Assert.Contains("at least one hop", Assert.Throws<FormatException>(() => HopAlternate.From(ProxyChain.Direct)).Message, StringComparison.Ordinal);
        Assert.Equal("A group has 1 to 64 alternates, not 0.", Assert.Throws<FormatException>(() => new HopGroup([])).Message);
        Assert.Equal("A group has 1 to 64 alternates, not 65.", Assert.Throws<FormatException>(() => Group([.. Enumerable.Repeat(A, 65)])).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.999)]
    [InlineData(86_401)]
    public void A_probe_interval_is_a_second_to_a_day(double seconds)
    {
        FormatException error = Assert.Throws<FormatException>(() => new HopGroup(A) { ProbeInterval = TimeSpan.FromSeconds(seconds) });
        Assert.EndsWith("it must be 1 second to 1 day.", error.Message, StringComparison.Ordinal);
        Assert.Equal(30, new HopGroup(A).ProbeInterval.TotalSeconds);
    }

    private static HopGroup Group(params ProxyHop[] hops) => new(hops.Select(hop => new HopAlternate(hop)));

    private static ProxyHop Hop(string host) => ProxyHop.Parse($"relay://{host}:1");
}
