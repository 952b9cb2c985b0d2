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
        await far.CompleteWritesAsync(CancellationToken.None);
        await Deadline.Until(() => !upstream.TryWake() || !upstream.TryRest(), "the end was noticed");
        Assert.False(upstream.TryWake());
    }

    [Fact]
    public async Task What_comes_for_a_request_does_not_end_the_rest_behind_it()
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        await using var upstream = new HttpUpstream(near, "an origin");
        for (int i = 0; i < 100; i++)
        {
            Assert.True(upstream.TryRest());
            Assert.True(upstream.TryWake(), $"rest {i} was ended by the response before it");
            await far.WriteAsync("response"u8.ToArray(), CancellationToken.None);
            Assert.True(await upstream.Reader.ReadMoreAsync(CancellationToken.None).Within());
            upstream.Reader.Consume(upstream.Reader.Bytes.Length);
        }
    }

    [Fact]
    public async Task One_that_says_something_unasked_is_not_taken_up_again()
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        await using var upstream = new HttpUpstream(near, "an origin");
        Assert.True(upstream.TryRest());
        await far.WriteAsync("unasked"u8.ToArray(), CancellationToken.None);
        await Deadline.Until(() => !upstream.TryWake() || !upstream.TryRest(), "the bytes were noticed");
        Assert.False(upstream.TryWake());
    }
}
