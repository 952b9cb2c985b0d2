using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class ReplayWindowTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public void A_fresh_header_is_accepted_once()
    {
        ReplayWindow window = New();
        DateTimeOffset sent = _time.GetUtcNow();
        Assert.Equal(ProxyErrorReason.None, window.Check(1, sent, out _));
        Assert.Equal(ProxyErrorReason.Replayed, window.Check(1, sent, out _));
        Assert.Equal(ProxyErrorReason.None, window.Check(2, sent, out _));
    }

    [Theory]
    [InlineData(30.0, ProxyErrorReason.None)]
    [InlineData(-30.0, ProxyErrorReason.None)]
    [InlineData(30.001, ProxyErrorReason.ClockSkew)]
    [InlineData(-30.001, ProxyErrorReason.ClockSkew)]
    public void Timestamps_may_differ_by_the_window_either_way(double seconds, ProxyErrorReason expected)
    {
        ProxyErrorReason reason = New().Check(1, _time.GetUtcNow() + TimeSpan.FromSeconds(seconds), out TimeSpan difference);
        Assert.Equal((expected, TimeSpan.FromSeconds(seconds)), (reason, difference));
    }

    [Fact]
    public void A_skewed_header_is_not_remembered()
    {
        ReplayWindow window = New();
        Assert.Equal(ProxyErrorReason.ClockSkew, window.Check(1, _time.GetUtcNow() - Window - Moment, out _));
        Assert.Equal(ProxyErrorReason.None, window.Check(1, _time.GetUtcNow(), out _));
    }

    // however the first check falls between two turns, and whether the server was busy or quiet in between
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void A_nonce_is_known_for_as_long_as_its_timestamp_is_acceptable(double phase)
    {
        foreach (int steps in new[] { 1, 2, 3, 7, 60 })
        {
            var time = new ManualTime();
            var window = new ReplayWindow(Window, time);
            time.Advance(Window * phase);
            DateTimeOffset newest = time.GetUtcNow() + Window;
            Assert.Equal(ProxyErrorReason.None, window.Check(1, newest, out _));
            for (int step = 1; step <= steps; step++)
            {
                time.Advance(newest + (Window * step * 2 / steps) - Window - time.GetUtcNow());
                Assert.Equal(ProxyErrorReason.Replayed, window.Check(1, newest, out _));
            }
            time.Advance(Moment);
            Assert.Equal(ProxyErrorReason.ClockSkew, window.Check(1, newest, out _));
        }
    }

    [Fact]
    public void A_nonce_is_forgotten_afterwards()
    {
        ReplayWindow window = New(capacity: 4);
        for (UInt128 round = 0; round < 20; round++)
        {
            // the same four nonces again and again: were they kept, they would be replays
            for (UInt128 nonce = 0; nonce < 4; nonce++) Assert.Equal(ProxyErrorReason.None, window.Check(nonce, _time.GetUtcNow(), out _));
            _time.Advance(3 * Window);
        }
    }

    [Fact]
    public void A_full_generation_refuses_for_at_most_one_window()
    {
        ReplayWindow window = New(capacity: 10);
        for (UInt128 nonce = 0; nonce < 10; nonce++) Assert.Equal(ProxyErrorReason.None, window.Check(nonce, _time.GetUtcNow(), out _));
        Assert.Equal(ProxyErrorReason.LimitExceeded, window.Check(10, _time.GetUtcNow(), out _));
        Assert.Equal(ProxyErrorReason.Replayed, window.Check(3, _time.GetUtcNow(), out _));

        _time.Advance(Window - Moment);
        Assert.Equal(ProxyErrorReason.LimitExceeded, window.Check(10, _time.GetUtcNow(), out _));
        _time.Advance(Moment);
        Assert.Equal(ProxyErrorReason.None, window.Check(10, _time.GetUtcNow(), out _));
        Assert.Equal(ProxyErrorReason.Replayed, window.Check(3, _time.GetUtcNow(), out _));
    }

    [Fact]
    public async Task Of_simultaneous_copies_one_is_accepted()
    {
        ReplayWindow window = New();
        DateTimeOffset sent = _time.GetUtcNow();
        var accepted = new int[500];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < accepted.Length; i++)
            {
                if (window.Check((UInt128)i, sent, out TimeSpan _) == ProxyErrorReason.None) Interlocked.Increment(ref accepted[i]);
            }
        }))).Within();
        Assert.All(accepted, times => Assert.Equal(1, times));
    }

    private ReplayWindow New(int capacity = ReplayWindow.DefaultCapacity) => new(Window, _time, capacity);
}
