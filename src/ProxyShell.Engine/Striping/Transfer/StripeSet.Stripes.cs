using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Stripes come and go.</summary>
internal sealed partial class StripeSet
{
    /// <summary>Adds a stripe, whose connection is ready to carry frames.</summary>
    /// <exception cref="ProxyException">The set has ended.</exception>
    public Stripe AddStripe(long number, Action<ProxyException> abort, EpollLoop? loop, TimeSpan roundTrip)
    {
        using Section section = Enter();
        if (_failure is not null) throw _failure;
        long now = Now;
        var stripe = new Stripe(number, abort, loop is not null, new StripeMeter(now, Math.Max(1, Microseconds(roundTrip))), now);
        Loop ??= loop;
        _stripes.Add(stripe);
        // the handshake is a poor measure of the round trip
        (stripe.IsPingDue, _hasChanged) = (true, true);
        WakeBy(now + Microseconds(_options.KeepAlive));
        return stripe;
    }

    /// <summary>Takes a stripe's number; false when it was used before.</summary>
    public bool TakeNumber(long number)
    {
        using Section section = Enter();
        return _numbers.Add(number);
    }

    /// <summary>How a stripe is now; its path is for the caller to add.</summary>
    public StripeInfo Describe(Stripe stripe, UInt128 pipe)
    {
        lock (_gate)
        {
            return new StripeInfo
            {
                Pipe = pipe.ToString("x32", System.Globalization.CultureInfo.InvariantCulture)[..8], Number = stripe.Number, State = stripe.State, Path = "", Rate = stripe.Meter.Rate, RoundTrip = TimeSpan.FromMicroseconds(stripe.Meter.RoundTrip),
                Queued = stripe.InFlight, Resent = stripe.Resent, BytesSent = stripe.BytesOut, BytesReceived = stripe.BytesIn,
            };
        }
    }

    /// <summary>A stripe's connection is over: its writer goes on, to end.</summary>
    public void EndStripe(Stripe stripe)
    {
        using Section section = Enter();
        stripe.State = StripeState.Closed;
        stripe.HasFinished = true;
        if (stripe.IsIdle) Rouse(stripe);
        _hasChanged = true;
    }

    /// <summary>Ends a stripe in order: it gets nothing more, and the other end is told so; what is under way on it goes over the others.</summary>
    public void LeaveStripe(Stripe stripe)
    {
        using Section section = Enter();
        if (stripe.IsGone) return;
        stripe.State = StripeState.Stalled;
        stripe.IsLeaveDue = true;
        _hasChanged = true;
    }

    /// <summary>Tells the other end that the pipe ends; each stripe's writer ends behind that.</summary>
    public void SayGoodbye()
    {
        using Section section = Enter();
        foreach (Stripe stripe in _stripes) stripe.IsGoodbyeDue = true;
        _hasChanged = true;
    }

    /// <summary>A stripe's connection is over, and nobody writes or reads it any more: what was under way on it goes over the others.</summary>
    public void RemoveStripe(Stripe stripe)
    {
        using Section section = Enter();
        stripe.State = StripeState.Closed;
        if (!_stripes.Remove(stripe)) return;
        ReleaseBatch(stripe);
        foreach (SentFrame sent in stripe.Sent) Resend(sent.Frame, isStillUnderWay: false);
        stripe.Sent.Clear();
        stripe.InFlight = 0;
        TellAgain();
        if (_stripes.Count > 0) return;
        _aloneSince = Now;
        WakeBy(_aloneSince + Microseconds(_options.ReconnectTimeout));
    }
}
