using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Tests.Diagnostics;

/// <summary>How subscribers get events: in order, one at a time, whatever they do themselves.</summary>
public class EventDeliveryTests
{
    [Fact]
    public async Task Events_of_each_writer_arrive_once_and_in_order()
    {
        const int writers = 4, each = 2000;
        using ConnectionRegistry registry = New();
        var seen = new List<int>();
        int inside = 0;
        registry.EventWritten += (_, e) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            lock (seen) seen.Add(int.Parse(e.Message, null));
            Interlocked.Decrement(ref inside);
        };
        await Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(() =>
        {
            for (int i = 0; i < each; i++) registry.Write(ProxyEventKind.Warning, $"{(w * each) + i}");
        }))).Within();
        await Deadline.Until(() => Count(seen) == writers * each, "all events");
        foreach (IGrouping<int, int> own in seen.GroupBy(n => n / each)) Assert.Equal(own.Order(), own);
        Assert.Equal(writers * each, seen.Distinct().Count());
    }

    [Fact]
    public async Task The_sender_is_the_service_and_the_event_the_rings_own()
    {
        using ConnectionRegistry registry = New();
        var got = new TaskCompletionSource<(object?, ProxyEvent)>();
        registry.EventWritten += (sender, e) => got.TrySetResult((sender, e));
        registry.Write(ProxyEventKind.Warning, "hello", ProxyErrorReason.Other);
        (object? sender, ProxyEvent e) = await got.Task.Within();
        Assert.Same(this, sender);
        Assert.Same(registry.Events.ToList().Single(), e);
    }

    [Fact]
    public async Task A_subscriber_that_throws_disturbs_nobody()
    {
        using ConnectionRegistry registry = New();
        int seen = 0;
        registry.EventWritten += (_, _) => throw new InvalidOperationException("a subscriber's fault");
        registry.EventWritten += (_, _) => Interlocked.Increment(ref seen);
        for (int i = 0; i < 10; i++) registry.Write(ProxyEventKind.Warning, "x");
        await Deadline.Until(() => Volatile.Read(ref seen) == 10, "ten events");
    }

    [Fact]
    public async Task A_subscriber_that_blocks_holds_up_no_writer_and_gets_a_bounded_number()
    {
        using ConnectionRegistry registry = New();
        using var gate = new ManualResetEventSlim();
        int seen = 0;
        registry.EventWritten += (_, _) =>
        {
            gate.Wait(TimeSpan.FromSeconds(30));
            Interlocked.Increment(ref seen);
        };
        registry.Write(ProxyEventKind.Warning, "the first blocks");
        await Task.Run(() =>
        {
            for (int i = 0; i < 50_000; i++) registry.Write(ProxyEventKind.Warning, "more");
        }).Within();
        Assert.Equal(50_001, registry.Events.TotalCount);
        Assert.Equal(0, Volatile.Read(ref seen));
        gate.Set();
        await registry.FlushEventsAsync().Within();
        Assert.InRange(Volatile.Read(ref seen), 10_000, 25_000);
    }

    [Fact]
    public async Task Who_leaves_hears_no_more_and_who_comes_hears_the_rest()
    {
        using ConnectionRegistry registry = New();
        var early = new List<int>();
        var late = new List<int>();
        EventHandler<ProxyEvent> listen = (_, e) => Add(early, e);
        registry.EventWritten += listen;
        registry.Write(ProxyEventKind.Warning, "1");
        await registry.FlushEventsAsync().Within();
        registry.EventWritten -= listen;
        registry.Write(ProxyEventKind.Warning, "2");
        registry.EventWritten += (_, e) => Add(late, e);
        registry.Write(ProxyEventKind.Warning, "3");
        await registry.FlushEventsAsync().Within();
        Assert.Equal([1], early);
        Assert.Equal([3], late);
    }

    [Fact]
    public async Task Who_takes_some_kinds_hears_of_no_others()
    {
        using ConnectionRegistry registry = New();
        var some = new List<int>();
        var all = new List<int>();
        EventHandler<ProxyEvent> listen = (_, e) => Add(some, e);
        registry.Subscribe(listen, EventKinds.Of([ProxyEventKind.Warning, ProxyEventKind.Failed]));
        registry.Write(ProxyEventKind.Opened, "1");
        registry.Write(ProxyEventKind.Warning, "2");
        await registry.FlushEventsAsync().Within();
        registry.EventWritten += (_, e) => Add(all, e);
        registry.Write(ProxyEventKind.Opened, "3");
        registry.Write(ProxyEventKind.Failed, "4");
        await registry.FlushEventsAsync().Within();
        registry.EventWritten -= listen;
        registry.Write(ProxyEventKind.Failed, "5");
        await registry.FlushEventsAsync().Within();
        Assert.Equal([2, 4], some);
        Assert.Equal([3, 4, 5], all);
        Assert.Equal(5, registry.Events.TotalCount);
    }

    private static void Add(List<int> seen, ProxyEvent e)
    {
        lock (seen) seen.Add(int.Parse(e.Message, null));
    }

    private static int Count(List<int> seen)
    {
        lock (seen) return seen.Count;
    }

    private ConnectionRegistry New() => new(this, new ServiceIdentity("test", "Test", TimeProvider.System), 10);
}
