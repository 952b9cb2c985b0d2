using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// Decides what goes over which stripe: the one that will deliver it soonest. Times are in microseconds.
/// </summary>
internal sealed class StripeScheduler(List<Stripe> stripes)
{
    private const int LeastSegment = 4 * 1024;

    // how long all stripes together may take for one segment
    private const double SegmentSeconds = 0.002;

    /// <summary>The most bytes of a stream to put into one frame: little where the stripes are slow, so that none is busy with one for long.</summary>
    public int Segment { get; private set; } = 16 * 1024;

    /// <summary>The rate of all stripes that carry, in bytes per second.</summary>
    public double TotalRate { get; private set; }

    /// <summary>The stripe that would deliver next to nothing soonest; null when none carries.</summary>
    public Stripe? Best { get; private set; }

    /// <summary>Looks at the stripes anew.</summary>
    public void Survey(long now)
    {
        (TotalRate, Best) = (0, null);
        long least = long.MaxValue;
        foreach (Stripe stripe in stripes)
        {
            if (stripe.State != StripeState.Active) continue;
            TotalRate += stripe.Meter.Rate;
            long delay = Delay(stripe, now);
            if (delay >= least) continue;
            (least, Best) = (delay, stripe);
        }
        if (TotalRate > 0) Segment = (int)Math.Clamp(TotalRate * SegmentSeconds, LeastSegment, StripeFrameCodec.MaxData);
    }

    /// <summary>How long something takes that is given to the stripe now: behind what is under way, and longer when that is overdue.</summary>
    public static long Delay(Stripe stripe, long now)
    {
        long queue = stripe.Meter.Rate > 0 ? (long)(stripe.InFlight * 1e6 / stripe.Meter.Rate) : 0;
        return queue + (stripe.Meter.LeastRoundTrip / 2) + Overdue(stripe, queue, now);
    }

    /// <summary>How much later than expected something under way should have arrived; 0 when it is not late.</summary>
    public static long Overdue(Stripe stripe, long now) =>
        Overdue(stripe, stripe.Meter.Rate > 0 ? (long)(stripe.InFlight * 1e6 / stripe.Meter.Rate) : 0, now);

    /// <summary>Whether the stripe may have more under way.</summary>
    public bool HasRoom(Stripe stripe, long now) => stripe.State == StripeState.Active && stripe.InFlight < stripe.Meter.Budget(Segment, now);

    /// <summary>
    /// Whether bytes of a stream may go over this stripe though another would deliver them sooner: only when the stream's window is so wide that the others do not run
    /// dry while they are on their way. Else everything would come to wait for the slowest stripe.
    /// </summary>
    public bool IsWorthwhile(Stripe stripe, long window, long now)
    {
        if (Best is null || stripe == Best) return true;
        long delay = Delay(stripe, now), gap = delay - Delay(Best, now);
        if (gap <= Best.Meter.RoundTrip) return true;
        double others = TotalRate - stripe.Meter.Rate;
        return others * (delay + (Best.Meter.LeastRoundTrip / 2)) / 1e6 <= window;
    }

    // an answer to a ping counts as well: who only receives has nothing else under way by which to see that his words get lost
    private static long Overdue(Stripe stripe, long queue, long now)
    {
        long since = Math.Min(stripe.InFlight == 0 ? now : stripe.MovedAt, stripe.PingedAt == 0 ? now : stripe.PingedAt);
        return Math.Max(0, now - since - stripe.Meter.LeastRoundTrip - queue);
    }
}
