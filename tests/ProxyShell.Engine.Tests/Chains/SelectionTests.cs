using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Which alternate a connection takes, without any network: health is told by hand and time stands still.</summary>
public class SelectionTests
{
    private static readonly ProxyException Dead = new(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, "hop 1 (b:1)") { HopNumber = 1 };

    private readonly ManualTime _time = new();

    [Fact]
    public void In_order_the_first_that_is_up_is_taken()
    {
        HopGroup group = Group(ChainSelection.Ordered);
        Assert.Equal("abc", Order(group));
        Fail(group, 0);
        Assert.Equal("bca", Order(group));
        Fail(group, 1);
        Assert.Equal("cab", Order(group));
        group.Choice!.Worked(0, _time);
        Assert.Equal("acb", Order(group));
    }

    [Fact]
    public void When_all_are_down_all_are_tried_in_order()
    {
        foreach (ChainSelection selection in Enum.GetValues<ChainSelection>())
        {
            HopGroup group = Group(selection);
            for (int i = 2; i >= 0; i--) Fail(group, i);
            Assert.Equal("abc", Order(group));
        }
    }

    [Fact]
    public void In_turn_each_is_taken_after_the_other()
    {
        HopGroup group = Group(ChainSelection.RoundRobin);
        Assert.Equal("abcabca", Picks(group, 7));
        Fail(group, 1);
        string two = Picks(group, 6);
        Assert.True(two is "acacac" or "cacaca", two);
        group.Choice!.Worked(1, _time);
        Assert.Equal(["a", "b", "c"], Picks(group, 3).Select(c => c.ToString()).Order());
    }

    [Fact]
    public void By_chance_the_weights_decide()
    {
        HopGroup group = Group(ChainSelection.Random, weights: [1, 2, 5]);
        ILookup<char, char> picks = Picks(group, 8000).ToLookup(c => c);
        // four standard deviations of a binomial distribution
        AssertAbout(1000, picks['a'].Count(), 4 * 29.6);
        AssertAbout(2000, picks['b'].Count(), 4 * 38.8);
        AssertAbout(5000, picks['c'].Count(), 4 * 43.3);
    }

    [Fact]
    public void By_chance_what_is_down_is_left_out_and_the_rest_keep_their_weights()
    {
        HopGroup group = Group(ChainSelection.Random, weights: [1, 2, 5]);
        Fail(group, 2);
        string picks = Picks(group, 6000);
        Assert.DoesNotContain('c', picks);
        AssertAbout(2000, picks.Count(c => c == 'a'), 4 * 36.5);
        // the second choice of a connection too
        group.Choice!.Worked(2, _time);
        int second = Enumerable.Range(0, 6000).Select(_ => Order(group)).Where(order => order[0] == 'c').Count(order => order[1] == 'a');
        AssertAbout(6000 * (5.0 / 8) / 3, second, 4 * 31.4);
    }

    [Fact]
    public void The_fastest_is_taken_and_kept_until_another_is_a_fifth_faster()
    {
        HopGroup group = Group(ChainSelection.LowestLatency);
        Assert.Equal("abc", Order(group));
        Answer(group, 0, 30, 1);
        Answer(group, 1, 10, 1);
        Answer(group, 2, 20, 1);
        Assert.Equal("bca", Order(group));

        // at 8.1 of 10 ms nothing changes, at 8 it does
        Answer(group, 2, 8.1, 10);
        Assert.Equal("bca", Order(group));
        Answer(group, 2, 8, 10);
        Assert.Equal("cba", Order(group));
        // and back only for the same gain
        Answer(group, 1, 7, 10);
        Assert.Equal("cba", Order(group));
        Answer(group, 1, 6, 10);
        Assert.Equal("bca", Order(group));
    }

    [Fact]
    public void The_mean_of_several_probes_counts_as_latency()
    {
        HopGroup group = Group(ChainSelection.LowestLatency);
        Answer(group, 0, 10, 10);
        Answer(group, 1, 20, 10);
        // one slow answer makes it 14.5 ms, a second one 19: slower, but 20 ms are no gain
        Answer(group, 0, 55, 2);
        Assert.Equal("ab", Order(group)[..2]);
        Answer(group, 0, 55, 2);
        Assert.Equal("ba", Order(group)[..2]);
    }

    [Fact]
    public void The_fastest_steps_back_while_it_is_down()
    {
        HopGroup group = Group(ChainSelection.LowestLatency);
        Answer(group, 0, 1, 1);
        Answer(group, 1, 5, 1);
        Answer(group, 2, 3, 1);
        Assert.Equal("acb", Order(group));
        Fail(group, 0);
        Assert.Equal("cba", Order(group));
        Answer(group, 0, 1, 1);
        Assert.Equal("acb", Order(group));
    }

    [Fact]
    public void Health_keeps_what_was_found()
    {
        HopGroup group = Group(ChainSelection.Ordered);
        var chain = new ProxyChain([new HopGroup(Hop('x')), group]);
        ChainHealth fresh = chain.GetHealth()[0];
        Assert.Equal((2, "relay://a:1", AlternateState.Unknown), (fresh.Place, fresh.Alternate, fresh.State));
        Assert.Null(fresh.Since);
        Assert.Null(fresh.Loss);

        Answer(group, 0, 10, 1);
        Answer(group, 0, 20, 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        group.Choice!.Unanswered(0, Dead, _time);
        group.Choice.Unanswered(0, Dead, _time);

        ChainHealth down = chain.GetHealth()[0];
        Assert.Equal((AlternateState.Down, 2, 0.5), (down.State, down.ConsecutiveFailures, down.Loss));
        Assert.Equal((20, 15), (down.Latency!.Value.TotalMilliseconds, down.MeanLatency!.Value.TotalMilliseconds));
        Assert.Equal((_time.GetUtcNow(), "hop 1 (b:1): connection refused"), (down.Since, down.LastError));

        group.Choice.Worked(0, _time);
        ChainHealth up = chain.GetHealth()[0];
        Assert.Equal((AlternateState.Up, 0, "hop 1 (b:1): connection refused"), (up.State, up.ConsecutiveFailures, up.LastError));
    }

    [Fact]
    public void Without_a_watching_service_a_connection_tries_again_after_a_while()
    {
        HopGroup group = Group(ChainSelection.Ordered);
        double[] pauses = [1, 2, 4, 8, 16, 30, 30];
        foreach (double pause in pauses)
        {
            // a burst of failures counts once
            for (int i = 0; i < 5; i++) Fail(group, 0);
            _time.Advance(TimeSpan.FromSeconds(pause * 0.89));
            Assert.Equal("bca", Order(group));
            _time.Advance(TimeSpan.FromSeconds(pause * 0.22));
            Assert.Equal("abc", Order(group));
        }
        group.Choice!.Worked(0, _time);
        Fail(group, 0);
        _time.Advance(TimeSpan.FromSeconds(1.11));
        Assert.Equal("abc", Order(group));
    }

    [Fact]
    public void While_a_service_watches_only_a_probe_brings_one_back()
    {
        HopGroup group = Group(ChainSelection.Ordered);
        group.Choice![0].Watch();
        Fail(group, 0);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("bca", Order(group));
        Answer(group, 0, 10, 1);
        Assert.Equal("abc", Order(group));
    }

    private void Fail(HopGroup group, int index) => group.Choice!.Failed(index, Dead, certain: true, _time);

    private void Answer(HopGroup group, int index, double milliseconds, int times)
    {
        for (int i = 0; i < times; i++) group.Choice!.Answered(index, TimeSpan.FromMilliseconds(milliseconds), whole: true, _time);
    }

    private string Order(HopGroup group) => string.Concat(group.Choice!.Order(_time).Select(index => (char)('a' + index)));

    // as connections do it
    private string Picks(HopGroup group, int count)
    {
        var chain = new ProxyChain([group]);
        return string.Concat(Enumerable.Range(0, count).Select(_ => new PathSearch(chain, _time).Path.Hops[0].Address.Endpoint!.Host));
    }

    private static void AssertAbout(double expected, int actual, double within) =>
        Assert.True(Math.Abs(expected - actual) <= within, $"{actual} times instead of about {expected:0} ± {within:0}");

    private static HopGroup Group(ChainSelection selection, int[]? weights = null) =>
        new("abc".Select((name, i) => new HopAlternate(Hop(name), weights?[i] ?? 1)), selection) { Random = new Random(7) };

    private static ProxyHop Hop(char name) => ProxyHop.Parse($"relay://{name}:1");
}
