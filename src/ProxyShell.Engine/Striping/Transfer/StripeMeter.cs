using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// What a stripe can do, measured end to end by its acknowledgements, so that every queue on the way counts: the kernels', a proxy's, a shaper's. The rate is
/// the highest delivered lately and the round trip the shortest; twice their product is what may be under way: enough to keep the path busy, little enough that
/// nothing waits long in it (the model of BBR, draft-ietf-ccwg-bbr section 4).
/// </summary>
internal sealed class StripeMeter(long now, long firstRoundTrip)
{
    private const long RoundTripWindow = 10_000_000;
    private const long LeastRateWindow = 500_000;
    private const long FirstBudget = 128 * 1024;
    private const long LeastSample = 64 * 1024;

    private double _rate, _lastRate;
    private long _rateSince = now, _roundTrip = firstRoundTrip, _lastRoundTrip = firstRoundTrip, _roundTripSince = now;
    private long _drainUntil;
    private long _appLimitedUntil;

    /// <summary>Bytes acknowledged so far.</summary>
    public long Delivered { get; private set; }

    public long DeliveredAt { get; private set; } = now;

    public long FirstSentAt { get; private set; } = now;

    /// <summary>Bytes per second; 0 while unknown.</summary>
    public double Rate => Math.Max(_rate, _lastRate);

    /// <summary>The shortest round trip, in microseconds.</summary>
    public long LeastRoundTrip => Math.Max(1, Math.Min(_roundTrip, _lastRoundTrip));

    /// <summary>The round trip with its queues, smoothed, in microseconds.</summary>
    public long RoundTrip { get; private set; } = firstRoundTrip;

    /// <summary>When last a round trip was measured.</summary>
    public long SampledAt { get; private set; } = now;

    /// <summary>How much may be under way.</summary>
    public long Budget(int segment, long at)
    {
        // a segment of full size means that the path is quick: then fewer wake-ups are worth more than a short queue
        long least = (segment < StripeFrameCodec.MaxData ? 4L : 16L) * segment;
        if (Rate == 0) return Math.Max(least, FirstBudget);
        double product = Rate * LeastRoundTrip / 1e6;
        // now and then the queue on the way is let run dry: only then the shortest round trip shows
        return at < _drainUntil ? Math.Max((long)(product / 2), segment) : Math.Max((long)(2 * product), least);
    }

    /// <summary>A frame leaves; <paramref name="isAlone"/> when nothing is under way.</summary>
    public SentFrame Leave(OutFrame frame, bool isAlone, long at)
    {
        if (isAlone) (FirstSentAt, DeliveredAt) = (at, at);
        return new SentFrame(frame, at, FirstSentAt, Delivered, DeliveredAt, Delivered < _appLimitedUntil);
    }

    /// <summary>There is nothing more to send though there would be room.</summary>
    public void NoteAppLimited(long inFlight) => _appLimitedUntil = Delivered + Math.Max(1, inFlight);

    /// <summary>Frames have arrived, the newest of which is given; <paramref name="held"/> is how long the answer was held back.</summary>
    public void Arrived(in SentFrame newest, long bytes, long at, long held)
    {
        Delivered += bytes;
        DeliveredAt = at;
        FirstSentAt = newest.SentAt;
        NoteRoundTrip(Math.Max(1, at - newest.SentAt - held), at);
        long took = Math.Max(newest.SentAt - newest.FirstSentAt, at - newest.DeliveredAt);
        if (took < LeastRoundTrip / 2) return;
        double rate = (Delivered - newest.Delivered) * 1e6 / Math.Max(1, took);
        // so little in a round trip says how little there was to send
        if (!newest.IsAppLimited || Delivered - newest.Delivered >= LeastSample) NoteRate(rate, newest.IsAppLimited, at);
    }

    private void NoteRate(double rate, bool isAppLimited, long at)
    {
        if (isAppLimited && rate < Rate) return;
        if (at - _rateSince > Math.Max(LeastRateWindow, 10 * LeastRoundTrip)) (_lastRate, _rate, _rateSince) = (_rate, 0, at);
        _rate = Math.Max(_rate, rate);
    }

    /// <summary>A round trip was measured.</summary>
    public void NoteRoundTrip(long sample, long at)
    {
        SampledAt = at;
        RoundTrip += (sample - RoundTrip) / 8;
        if (at - _roundTripSince > RoundTripWindow)
        {
            (_lastRoundTrip, _roundTrip, _roundTripSince) = (_roundTrip, sample, at);
            _drainUntil = at + RoundTrip;
        }
        _roundTrip = Math.Min(_roundTrip, sample);
    }
}
