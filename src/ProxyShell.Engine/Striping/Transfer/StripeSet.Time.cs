using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What happens because of time.</summary>
internal sealed partial class StripeSet
{
    // a stripe on which nothing arrived for so long beyond what was expected has stalled
    private const long LeastStall = 500_000;

    // a stripe that others leave nothing to do would never show that it has become faster
    private const long MeasureAgain = 1_000_000;

    // while anything comes in, a stripe that has been silent for so long is asked whether it lives
    private const long AskSoon = 200_000;

    private readonly ITimer _timer;
    private bool _isBusy;
    private long _receivedAt = long.MinValue / 2;
    private long _timerAt = long.MaxValue;
    private long _aloneSince;

    /// <summary>Looks at what is due; called by the set's timer.</summary>
    public void Tick()
    {
        using Section section = Enter();
        if (_failure is not null) return;
        long now = Now;
        _timerAt = long.MaxValue;
        if (_stripes.Count == 0) LookForStripes(now);
        _scheduler.Survey(now);
        _isBusy = _stripes.Exists(stripe => stripe.InFlight > 0);
        foreach (Stripe stripe in _stripes) Look(stripe, now);
        _hasChanged = true;
    }

    private void LookForStripes(long now)
    {
        long failsAt = _aloneSince + Microseconds(_options.ReconnectTimeout);
        if (now < failsAt) WakeBy(failsAt);
        else End(new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Relay, "the pipe", $"no stripe came back within {_options.ReconnectTimeout.TotalSeconds:0.###} s"));
    }

    private void Look(Stripe stripe, long now)
    {
        if (stripe.AckBy != long.MaxValue) WakeBy(Math.Max(stripe.AckBy, now + 1_000));
        long stall = Math.Max(LeastStall, 2 * stripe.Meter.RoundTrip), giveUp = Microseconds(_options.StallTimeout), keepAlive = Microseconds(_options.KeepAlive);
        if (stripe.InFlight > 0)
        {
            long late = StripeScheduler.Overdue(stripe, now);
            if (late > stall && stripe.State == StripeState.Active) stripe.State = StripeState.Stalled;
            if (stripe.State == StripeState.Stalled && !stripe.WasSentAgain && _scheduler.Best is not null) SendAgain(stripe);
            if (now - stripe.MovedAt > giveUp && late > stall) GiveUp(stripe, now - stripe.MovedAt);
            WakeBy(now + Math.Min(stall / 4, giveUp / 4));
        }
        long silent = now - stripe.HeardAt;
        if (now - _receivedAt < MeasureAgain && stripe.PingedAt == 0)
        {
            if (silent >= AskSoon) stripe.IsPingDue = true;
            WakeBy(now + AskSoon / 2);
        }
        if (silent > keepAlive + giveUp) GiveUp(stripe, silent);
        else if (silent >= keepAlive || (_isBusy && now - stripe.Meter.SampledAt > MeasureAgain)) stripe.IsPingDue = true;
        WakeBy(silent >= keepAlive ? now + Math.Max(giveUp / 4, 1_000) : stripe.HeardAt + keepAlive);
    }

    private void SendAgain(Stripe stripe)
    {
        stripe.WasSentAgain = true;
        foreach (SentFrame sent in stripe.Sent) Resend(sent.Frame, isStillUnderWay: true);
    }

    private void GiveUp(Stripe stripe, long silence) => _due.Add(new StripeEnd(stripe, new ProxyException(
        ProxyErrorReason.TimedOut, ProxyStage.Relay, null, $"nothing arrived for {silence / 1e6:0.#} s")));

    private void WakeBy(long at)
    {
        if (at >= _timerAt) return;
        _timerAt = at;
        _timer.Change(TimeSpan.FromMicroseconds(Math.Max(1, at - Now)), Timeout.InfiniteTimeSpan);
    }
}
