using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Diagnostics;

public class EventRingTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 5)]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    [InlineData(3, 4)]
    [InlineData(10, 1000)]
    public void The_newest_are_kept_oldest_first(int capacity, int written)
    {
        var ring = new EventRing(capacity);
        for (int i = 0; i < written; i++) ring.Add(Event(i));
        Assert.Equal((capacity, written), (ring.Capacity, ring.TotalCount));
        Assert.Equal(Enumerable.Range(0, written).TakeLast(capacity).Select(i => $"{i}"), ring.ToList().Select(e => e.Message));
    }

    [Fact]
    public void A_list_does_not_change_afterwards()
    {
        var ring = new EventRing(2);
        ring.Add(Event(1));
        IReadOnlyList<ProxyEvent> before = ring.ToList();
        ring.Add(Event(2));
        ring.Add(Event(3));
        Assert.Equal("1", Assert.Single(before).Message);
    }

    [Fact]
    public async Task Readers_and_writers_do_not_disturb_each_other()
    {
        const int writers = 4, each = 20_000;
        var ring = new EventRing(100);
        using var over = new CancellationTokenSource();
        Task reading = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                int[] seen = [.. ring.ToList().Select(e => int.Parse(e.Message, null))];
                Assert.InRange(seen.Length, 0, 100);
                // each writer's own events are in order
                foreach (IGrouping<int, int> own in seen.GroupBy(n => n / each)) Assert.Equal(own.Order(), own);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(() =>
        {
            for (int i = 0; i < each; i++) ring.Add(Event((w * each) + i));
        }))).Within();
        await over.CancelAsync();
        await reading.Within();
        Assert.Equal(writers * each, ring.TotalCount);
        Assert.Equal(100, ring.ToList().Count);
    }

    private static ProxyEvent Event(int number) => new(DateTimeOffset.UnixEpoch, "test", ProxyEventKind.Warning, $"{number}");
}
