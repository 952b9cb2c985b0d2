using System.Collections.Concurrent;

namespace ProxyShell.Engine.Serving;

/// <summary>A reusable deadline: one cancellation source serves the steps of one set-up, then the next connection's.</summary>
internal sealed class SetUpClock
{
    private const int MaxSpare = 256;

    private static readonly ConcurrentQueue<SetUpClock> Spare = new();

    private readonly bool _reusable;

    private SetUpClock(TimeProvider time)
    {
        _reusable = time == TimeProvider.System;
        Source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    public CancellationTokenSource Source { get; }

    public CancellationToken Token => Source.Token;

    /// <summary>The time given for the step under way.</summary>
    public TimeSpan Allowed { get; private set; }

    public static SetUpClock Rent(TimeProvider time) =>
        time == TimeProvider.System && Spare.TryDequeue(out SetUpClock? clock) ? clock : new SetUpClock(time);

    /// <summary>Starts the next step.</summary>
    public void Allow(TimeSpan time)
    {
        Allowed = time;
        Source.CancelAfter(time);
    }

    /// <summary>Gives the clock back. Nobody may hold its token any more.</summary>
    public void Return()
    {
        if (_reusable && Spare.Count < MaxSpare && Source.TryReset()) Spare.Enqueue(this);
        else Source.Dispose();
    }
}
