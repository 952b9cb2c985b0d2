using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Striping.Transfer;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>A stripe that says nothing any more and does not end: who only receives has nothing under way on it by which to see that.</summary>
public class SilentStripeTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_arrived_is_told_of_over_a_stripe_that_answers(int silent)
    {
        using var duo = new StripeDuo(1024 * 1024, stripes: 3);
        StripedStream near = duo.Near.Open(new StreamOpening(StreamKind.Bytes, null));
        await WriteAsync(duo, near);
        duo.Stripes[silent].IsFrozen = true;
        for (int i = 0; i < 10; i++) await WriteAsync(duo, near);
        duo.Run(TimeSpan.FromSeconds(2));
        Assert.Equal(1100, duo.Accepted.Single().Incoming.Ready);
        Assert.All(duo.Stripes.Where(stripe => !stripe.IsFrozen), stripe => Assert.Equal(0, stripe.Near.Stripe.InFlight));
    }

    private static async Task WriteAsync(StripeDuo duo, StripedStream stream)
    {
        Task written = stream.WriteAsync(RandomBytes.Of(100), CancellationToken.None).AsTask();
        duo.Run(TimeSpan.FromMilliseconds(20));
        await written.Within();
    }
}
