using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Tests.Relaying;

/// <summary>Who gets how many bytes when; on a clock that stands still until told.</summary>
public class BandwidthTests
{
    private readonly ManualTime _time = new();
    private readonly BandwidthLimits _limits;

    public BandwidthTests() => _limits = new BandwidthLimits(_time);

    [Theory]
    [InlineData(1_000, 1)]
    [InlineData(1_000, 20)]
    [InlineData(64_000, 1)]
    [InlineData(1_000_000, 3)]
    [InlineData(1_000_000_000, 1)]
    [InlineData(1_000_000_000, 100)]
    public void Two_seconds_bring_two_seconds_worth(long rate, int parties)
    {
        _limits.SetRate(rate);
        GreedyClaim[] claims = Greedy(parties);
        Pass(TimeSpan.FromSeconds(2));
        Assert.InRange(claims.Sum(c => c.Taken), 1.9 * rate, 2.1 * rate);
    }

    [Fact]
    public void Ticks_that_come_late_lose_nothing()
    {
        const long Rate = 1_000_000;
        _limits.SetRate(Rate);
        GreedyClaim[] claims = Greedy(3);
        for (int i = 0; i < 4; i++) _time.AdvanceAtOnce(TimeSpan.FromSeconds(0.5));
        Assert.InRange(claims.Sum(c => c.Taken), 1.9 * Rate, 2.1 * Rate);
    }

    [Fact]
    public void A_pause_does_not_save_up_more_than_a_tenth_of_a_second()
    {
        const long Rate = 1_000_000;
        _limits.SetRate(Rate);
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(Rate / 10, Greedy(1)[0].Taken);
    }

    [Theory]
    [InlineData(10_000, 7)]
    [InlineData(10_000_000, 7)]
    [InlineData(10_000_000, 500)]
    public void All_get_their_turns(long rate, int parties)
    {
        _limits.SetRate(rate);
        GreedyClaim[] claims = Greedy(parties);
        long burst = claims[0].Taken;
        Pass(TimeSpan.FromSeconds(10));
        double fair = 10.0 * rate / parties;
        Assert.InRange(claims[0].Taken - burst, 0.8 * fair, 1.2 * fair);
        Assert.All(claims.Skip(1), c => Assert.InRange(c.Taken, 0.8 * fair, 1.2 * fair));
    }

    [Fact]
    public void A_client_with_a_limit_of_its_own_leaves_the_rest_to_others()
    {
        _limits.SetRate(1_000_000);
        var slow = new Bandwidth(_limits);
        slow.SetClientRate(100_000);
        GreedyClaim[] held = [new GreedyClaim(slow).Start(), new GreedyClaim(slow).Start()];
        GreedyClaim free = Greedy(1)[0];
        Pass(TimeSpan.FromSeconds(10));
        Assert.InRange(held.Sum(c => c.Taken), 950_000, 1_050_000);
        Assert.InRange(free.Taken, 8_800_000, 9_200_000);
    }

    [Fact]
    public void Directions_are_counted_each_by_itself()
    {
        _limits.SetRate(1000);
        var bandwidth = new Bandwidth(_limits);
        bandwidth.Charge(5000, TrafficDirection.Sent);
        Assert.False(bandwidth.TryTake(10, TrafficDirection.Sent));
        Assert.True(bandwidth.TryTake(10, TrafficDirection.Received));
    }

    [Fact]
    public void What_was_overdrawn_is_waited_for()
    {
        _limits.SetRate(1000);
        new Bandwidth(_limits).Charge(5020, TrafficDirection.Sent);
        GreedyClaim claim = Greedy(1)[0];
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(0, claim.Taken);
        Pass(TimeSpan.FromSeconds(1));
        Assert.InRange(claim.Taken, 900, 1100);
    }

    [Fact]
    public void Lifting_a_limit_wakes_all_who_wait()
    {
        _limits.SetRate(1000);
        GreedyClaim[] claims = Greedy(100);
        foreach (GreedyClaim claim in claims) claim.Appetite = 100_000;
        _limits.SetRate(0);
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.All(claims, c => Assert.True(c.Taken >= 100_000));
    }

    [Fact]
    public void Raising_a_limit_is_felt_by_those_who_wait()
    {
        _limits.SetRate(1000);
        GreedyClaim claim = Greedy(1)[0];
        _limits.SetRate(1_000_000);
        Pass(TimeSpan.FromSeconds(1));
        Assert.InRange(claim.Taken, 950_000, 1_050_000);
    }

    [Fact]
    public void A_limit_of_a_client_can_be_set_and_lifted_later()
    {
        var bandwidth = new Bandwidth(_limits);
        Assert.False(bandwidth.IsLimited(TrafficDirection.Sent));
        bandwidth.SetClientRate(50_000);
        Assert.True(bandwidth.IsLimited(TrafficDirection.Received));
        var claim = new GreedyClaim(bandwidth);
        claim.Start();
        Pass(TimeSpan.FromSeconds(2));
        Assert.InRange(claim.Taken, 95_000, 105_000);
        claim.Appetite = 10_000_000;
        bandwidth.SetClientRate(0);
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.False(bandwidth.IsLimited(TrafficDirection.Sent));
        Assert.True(claim.Taken >= 10_000_000);
    }

    [Fact]
    public void Who_gives_up_gives_back()
    {
        _limits.SetRate(1_000_000);
        var slow = new Bandwidth(_limits);
        slow.SetClientRate(1_000_000);
        GreedyClaim first = Greedy(1)[0];
        var waiting = new GreedyClaim(slow);
        waiting.Start();
        waiting.GiveUp();
        first.GiveUp();
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(0, waiting.Taken);
        Assert.True(slow.TryTake(100_000, TrafficDirection.Sent));
    }

    [Fact]
    public void A_datagram_goes_whole_or_not_at_all()
    {
        _limits.SetRate(10_000);
        var bandwidth = new Bandwidth(_limits);
        Assert.True(bandwidth.TryTake(5_000, TrafficDirection.Sent));
        Assert.False(bandwidth.TryTake(1, TrafficDirection.Sent));
        Pass(TimeSpan.FromSeconds(0.5));
        Assert.True(bandwidth.TryTake(1, TrafficDirection.Sent));
    }

    [Fact]
    public async Task A_wait_ends_when_it_is_cancelled()
    {
        _limits.SetRate(1000);
        var bandwidth = new Bandwidth(_limits);
        using var cancel = new CancellationTokenSource();
        Task waiting = bandwidth.WaitAsync(100_000, TrafficDirection.Sent, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());
        // and what it stood in line for is there for others
        GreedyClaim next = Greedy(1)[0];
        Pass(TimeSpan.FromSeconds(1));
        Assert.InRange(next.Taken, 900, 1100);
    }

    [Fact]
    public async Task Without_a_limit_nothing_is_waited_for()
    {
        await new Bandwidth(_limits).WaitAsync(int.MaxValue, TrafficDirection.Sent, CancellationToken.None).Within();
        Assert.Equal(1 << 20, await Bandwidth.Unlimited.TakeAsync(1 << 20, TrafficDirection.Received, CancellationToken.None));
    }

    private GreedyClaim[] Greedy(int count) => [.. Enumerable.Range(0, count).Select(_ => new GreedyClaim(new Bandwidth(_limits)).Start())];

    private void Pass(TimeSpan time) => _time.Advance(time);
}
