using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>What is tried next after which failure, and whom it marks.</summary>
public class PathSearchTests
{
    private readonly ManualTime _time = new();

    // a, then b or c, then d
    [Theory]
    // a hop of the group itself: its alternate is down, the next one is tried
    [InlineData(2, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.TimedOut, ProxyStage.Dial, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.NameNotFound, ProxyStage.Resolve, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.TlsFailed, ProxyStage.Tls, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.AuthenticationFailed, ProxyStage.Request, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.LimitExceeded, ProxyStage.Request, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.ConnectionClosed, ProxyStage.Request, "a c d", AlternateState.Down)]
    [InlineData(2, ProxyErrorReason.ProtocolError, ProxyStage.Request, "a c d", AlternateState.Down)]
    // it may not be its own fault
    [InlineData(2, ProxyErrorReason.TimedOut, ProxyStage.Request, "a c d", AlternateState.Suspect)]
    [InlineData(1, ProxyErrorReason.TimedOut, ProxyStage.Request, "a c d", AlternateState.Suspect)]
    [InlineData(2, ProxyErrorReason.Forbidden, ProxyStage.Policy, "a c d", AlternateState.Unknown)]
    [InlineData(2, ProxyErrorReason.Unsupported, ProxyStage.Request, "a c d", AlternateState.Unknown)]
    // a hop without alternates: another way to it may do better when it could not be reached
    [InlineData(3, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, "a c d", AlternateState.Unknown)]
    [InlineData(3, ProxyErrorReason.HostUnreachable, ProxyStage.Dial, "a c d", AlternateState.Unknown)]
    [InlineData(3, ProxyErrorReason.TimedOut, ProxyStage.Request, "a c d", AlternateState.Unknown)]
    [InlineData(3, ProxyErrorReason.ResourceExhausted, ProxyStage.Dial, "a c d", AlternateState.Unknown)]
    // but not when it refuses by itself, or when nothing but it can be chosen
    [InlineData(3, ProxyErrorReason.AuthenticationFailed, ProxyStage.Request, null, AlternateState.Unknown)]
    [InlineData(3, ProxyErrorReason.Forbidden, ProxyStage.Policy, null, AlternateState.Unknown)]
    [InlineData(1, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, null, AlternateState.Unknown)]
    [InlineData(1, ProxyErrorReason.ResourceExhausted, ProxyStage.Dial, null, AlternateState.Unknown)]
    // the destination's own failures are the same by every way, those of the way are not
    [InlineData(null, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, null, AlternateState.Unknown)]
    [InlineData(null, ProxyErrorReason.NameNotFound, ProxyStage.Resolve, null, AlternateState.Unknown)]
    [InlineData(null, ProxyErrorReason.Forbidden, ProxyStage.Policy, null, AlternateState.Unknown)]
    [InlineData(null, ProxyErrorReason.TlsFailed, ProxyStage.Tls, null, AlternateState.Unknown)]
    [InlineData(null, ProxyErrorReason.TimedOut, ProxyStage.Dial, "a c d", AlternateState.Unknown)]
    [InlineData(null, ProxyErrorReason.NetworkUnreachable, ProxyStage.Dial, "a c d", AlternateState.Unknown)]
    public void A_failure_tells_what_to_try_next(int? hop, ProxyErrorReason reason, ProxyStage stage, string? next, AlternateState state)
    {
        HopGroup group = Group("b", "c");
        var search = new PathSearch(new ProxyChain([Place("a"), group, Place("d")]), _time);

        bool goesOn = search.MoveOn(Error(hop, reason, stage));

        Assert.Equal((next ?? "a b d", next is not null), (Shown(search), goesOn));
        Assert.Equal((state, AlternateState.Unknown), (group.Choice![0].State, group.Choice[1].State));
    }

    [Fact]
    public void Who_waits_in_vain_and_who_is_waited_for_are_both_chosen_anew()
    {
        HopGroup first = Group("a", "b"), second = Group("c", "d");
        var search = new PathSearch(new ProxyChain([first, second]), _time);
        Assert.True(search.MoveOn(Error(1, ProxyErrorReason.TimedOut, ProxyStage.Request)));
        Assert.Equal("b d", Shown(search));
        Assert.Equal((AlternateState.Suspect, AlternateState.Suspect), (first.Choice![0].State, second.Choice![0].State));
    }

    [Fact]
    public void What_failed_behind_one_alternate_is_tried_behind_the_next()
    {
        var search = new PathSearch(new ProxyChain([Group("a", "b"), Group("c", "d")]), _time);
        var seen = new List<string>();
        do seen.Add(Shown(search));
        while (search.MoveOn(Error(2, ProxyErrorReason.HostUnreachable, ProxyStage.Dial)));
        Assert.Equal(["a c", "a d", "b c", "b d"], seen);
        Assert.Equal(4, search.Tried);
    }

    [Fact]
    public void A_hop_within_a_longer_alternate_belongs_to_it()
    {
        HopGroup group = new([new HopAlternate([Hop("a"), Hop("b"), Hop("c")]), new HopAlternate(Hop("d"))]);
        var search = new PathSearch(new ProxyChain([group, Place("e")]), _time);
        Assert.Equal("a b c e", Shown(search));
        Assert.True(search.MoveOn(Error(3, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial)));
        Assert.Equal("d e", Shown(search));
        Assert.Equal(AlternateState.Down, group.Choice![0].State);
        // now hop 2 is the one behind the group
        Assert.False(search.MoveOn(Error(2, ProxyErrorReason.AuthenticationFailed, ProxyStage.Request)));
        Assert.Equal(AlternateState.Unknown, group.Choice[1].State);
    }

    [Fact]
    public void Success_is_noted_for_every_group_on_the_way()
    {
        HopGroup first = Group("a", "b"), second = Group("c", "d");
        var search = new PathSearch(new ProxyChain([first, second]), _time);
        search.MoveOn(Error(1, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial));
        search.Succeed();
        Assert.Equal([AlternateState.Down, AlternateState.Up], new[] { 0, 1 }.Select(i => first.Choice![i].State));
        Assert.Equal([AlternateState.Up, AlternateState.Unknown], new[] { 0, 1 }.Select(i => second.Choice![i].State));
    }

    [Fact]
    public void The_ways_left_are_counted()
    {
        var search = new PathSearch(new ProxyChain([Group("a", "b", "c"), Place("d"), Group("e", "f")]), _time);
        Assert.Equal(4, search.Left);
        search.MoveOn(Error(1, ProxyErrorReason.ConnectionRefused, ProxyStage.Dial));
        Assert.Equal(3, search.Left);
        Assert.Equal(1, new PathSearch(new ProxyChain(Hop("a"), Hop("b")), _time).Left);
    }

    [Fact]
    public void Sixteen_ways_are_enough()
    {
        var search = new PathSearch(new ProxyChain([Group("a", "b", "c"), Group("a", "b", "c"), Group("a", "b", "c")]), _time);
        while (search.MoveOn(Error(3, ProxyErrorReason.HostUnreachable, ProxyStage.Dial)))
        {
        }
        Assert.Equal(16, search.Tried);
    }

    private static ProxyException Error(int? hop, ProxyErrorReason reason, ProxyStage stage) => new(reason, stage, "it") { HopNumber = hop };

    private static string Shown(PathSearch search) => string.Join(' ', search.Path.Hops.Select(hop => hop.Address.Endpoint!.Host));

    private static HopGroup Place(string name) => new(Hop(name));

    private static HopGroup Group(params string[] names) => new(names.Select(name => new HopAlternate(Hop(name))));

    private static ProxyHop Hop(string name) => ProxyHop.Parse($"relay://{name}:1");
}
