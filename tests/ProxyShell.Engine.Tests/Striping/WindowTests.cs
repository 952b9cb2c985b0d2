using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>A reader that never reads costs its window and no more, and nobody else anything.</summary>
public class WindowTests
{
    private const int Window = 1024 * 1024;

    [Fact]
    public async Task A_stream_is_ahead_of_its_reader_by_its_window_at_most()
    {
        using var duo = new StripeDuo(Window, stripes: 3);
        StripedStream near = duo.Near.Open(new StreamOpening(StreamKind.Bytes, null)), other = duo.Near.Open(new StreamOpening(StreamKind.Bytes, null));
        byte[] bytes = RandomBytes.Of(4 * Window);
        Task writing = near.WriteAsync(bytes, CancellationToken.None).AsTask();
        duo.Settle();
        StripedStream far = duo.Accepted.Single(stream => stream.Id == near.Id);
        Assert.False(writing.IsCompleted);
        Assert.InRange(far.Incoming.Ready + far.Incoming.Early, StripeSet.FirstWindow / 2, Window);

        // another one is not held up by it
        Task small = other.WriteAsync(RandomBytes.Of(100), CancellationToken.None).AsTask();
        duo.Settle();
        await small.Within();
        Assert.Equal(100, await duo.Accepted.Single(stream => stream.Id == other.Id).ReadAsync(new byte[200], CancellationToken.None));

        var read = new List<byte>();
        var buffer = new byte[70_000];
        while (read.Count < bytes.Length)
        {
            int count = await far.ReadAsync(buffer, CancellationToken.None).Within();
            read.AddRange(buffer[..count]);
            duo.Settle();
        }
        await writing.Within();
        Assert.Equal(bytes, read);
    }

    [Fact]
    public async Task A_window_that_was_too_small_grows_once_though_a_higher_limit_is_under_way()
    {
        using var duo = new StripeDuo(Window, stripes: 1);
        StripedStream near = duo.Near.Open(new StreamOpening(StreamKind.Bytes, null));
        Task writing = near.WriteAsync(RandomBytes.Of(Window), CancellationToken.None).AsTask();
        duo.Settle();
        StripedStream far = Assert.Single(duo.Accepted);
        Assert.Equal(StripeSet.FirstWindow, far.Window);
        int read = await far.ReadAsync(new byte[StripeSet.FirstWindow], CancellationToken.None).Within();
        Assert.True(far.Limit >= StripeSet.FirstWindow + (read / 2));

        Stripe late = duo.Far.AddStripe(99, _ => { }, null, TimeSpan.FromMilliseconds(1));
        var blocked = new StripeFrame(StripeFrameKind.Blocked) { Id = far.Id, Value = StripeSet.FirstWindow };
        duo.Far.OnFrame(late, blocked);
        Assert.Equal(2 * StripeSet.FirstWindow, far.Window);
        duo.Far.OnFrame(late, blocked);
        Assert.Equal(2 * StripeSet.FirstWindow, far.Window);
        Assert.False(writing.IsCompleted);
    }

    [Fact]
    public void All_windows_together_are_limited()
    {
        using var duo = new StripeDuo(Window, stripes: 2);
        StripedStream[] streams = [.. Enumerable.Range(0, 100).Select(_ => duo.Near.Open(new StreamOpening(StreamKind.Bytes, null)))];
        foreach (StripedStream stream in streams) _ = stream.WriteAsync(RandomBytes.Of(2 * Window), CancellationToken.None).AsTask();
        duo.Settle();
        Assert.Equal(100, duo.Accepted.Count);
        Assert.True(duo.Accepted.Sum(stream => stream.Incoming.Ready + stream.Incoming.Early) <= Math.Max(16L * Window, 100 * StripeSet.FirstWindow));
        Assert.All(duo.Accepted, stream => Assert.True(stream.Incoming.Ready > 0, $"{stream} got nothing"));
    }
}
