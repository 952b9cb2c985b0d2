using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Tests.Fixtures;

namespace ProxyShell.Engine.Tests.Inbound.Http;

/// <summary>Connections to origins that rest between requests.</summary>
public sealed class HttpUpstreamTests
{
    [Fact]
    public async Task One_that_the_origin_ends_while_it_rests_is_not_taken_up_again()
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        await using var upstream = new HttpUpstream(near, "an origin");
        Assert.True(upstream.TryRest());
        Task watched = upstream.Reader.WatchAsync(CancellationToken.None);
        await far.CompleteWritesAsync(CancellationToken.None);
        await watched.Within();
        await Deadline.Until(() => !upstream.TryWake() || !upstream.TryRest(), "the end was noticed");
        Assert.False(upstream.TryWake());
    }

    [Fact]
    public async Task The_watch_of_an_earlier_rest_may_end_late()
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        await using var upstream = new HttpUpstream(near, "an origin");
        using var gate = new ManualResetEventSlim();
        Task held = Continue(upstream.Reader.WatchAsync(CancellationToken.None), gate.Wait);
        Assert.True(upstream.TryRest());
        Task late = Continue(upstream.Reader.WatchAsync(CancellationToken.None), () => { });

        Assert.True(upstream.TryWake());
        await far.WriteAsync("response"u8.ToArray(), CancellationToken.None);
        Assert.True(await upstream.Reader.ReadMoreAsync(CancellationToken.None));
        upstream.Reader.Consume(upstream.Reader.Bytes.Length);
        Assert.True(upstream.TryRest());
        gate.Set();
        await Task.WhenAll(held, late).Within();

        Assert.True(upstream.TryWake(), "the late watch of the first rest has ended the second");

        // what waits for the same runs one after another, in this order
        static Task Continue(Task first, Action what) => first.ContinueWith(_ => what(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
