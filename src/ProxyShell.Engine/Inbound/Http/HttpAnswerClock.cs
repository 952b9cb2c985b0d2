using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// The time that an origin has for its answer. It runs while it is the origin's turn, and not while the client is waited for; when it has run
/// out, the connection to the origin is broken off.
/// </summary>
internal sealed class HttpAnswerClock : IDisposable
{
    private readonly IAbortable _upstream;
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();
    private long _began;
    private bool _runs;
    private bool _hasEnded;
    private bool _hasRunOut;

    public HttpAnswerClock(IAbortable upstream, TimeProvider time, TimeSpan limit)
    {
        (_upstream, _time, _limit) = (upstream, time, limit);
        if (limit == Timeout.InfiniteTimeSpan) return;
        _timer = time.CreateTimer(static state => ((HttpAnswerClock)state!).OnTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public TimeSpan Limit => _limit;

    public bool HasRunOut => Volatile.Read(ref _hasRunOut);

    /// <summary>It is the origin's turn, from now on.</summary>
    public void Run()
    {
        if (_timer is null) return;
        lock (_gate) (_runs, _began) = (!_hasEnded, _time.GetTimestamp());
        _timer.Change(_limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>It is not the origin's turn.</summary>
    public void Pause()
    {
        if (_timer is null) return;
        lock (_gate) _runs = false;
    }

    /// <summary>The origin has answered: the clock never runs again.</summary>
    public void Dispose()
    {
        if (_timer is null) return;
        lock (_gate) (_runs, _hasEnded) = (false, true);
        _timer.Dispose();
    }

    private void OnTime()
    {
        lock (_gate)
        {
            // a timer that was late for the turn before must not end this one
            if (!_runs || _time.GetElapsedTime(_began) < _limit - TimeSpan.FromMilliseconds(20)) return;
            (_runs, _hasRunOut) = (false, true);
        }
        _upstream.Abort();
    }
}
