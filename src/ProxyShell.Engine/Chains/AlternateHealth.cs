using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// How one alternate is, as connections and probes find it. One that is down is looked at again after 1 s, then after twice as long each
/// time, up to 30 s: by a probe while a service watches it, else by the next connection.
/// </summary>
internal sealed class AlternateHealth(HopGroup group)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly ProbeWindow _probes = new();
    private volatile AlternateState _state;
    private volatile int _failures;
    private volatile int _watchers;
    private TimeSpan _pause = FirstPause;
    private long? _due;
    private DateTimeOffset? _since;
    private DateTimeOffset? _lastProbe;
    private string? _lastError;

    public AlternateState State => _state;

    /// <summary>The mean round trip, or null.</summary>
    public TimeSpan? MeanLatency
    {
        get
        {
            lock (_gate) return _probes.MeanLatency;
        }
    }

    public void Watch() => Interlocked.Increment(ref _watchers);

    public void Unwatch() => Interlocked.Decrement(ref _watchers);

    /// <summary>Whether connections should leave it out.</summary>
    public bool IsOut(TimeProvider time)
    {
        if (_state is AlternateState.Unknown or AlternateState.Up) return false;
        if (_watchers > 0) return true;
        lock (_gate) return time.GetTimestamp() < _due;
    }

    /// <summary>A connection through it was set up. Returns what that changes.</summary>
    public HealthStep? Worked(TimeProvider time)
    {
        if (_state == AlternateState.Up && _failures == 0) return null;
        lock (_gate)
        {
            _pause = FirstPause;
            return BeUp(time);
        }
    }

    /// <summary>A connection failed at it, or (when that is not certain) waited in vain for it or for what lies behind it.</summary>
    public HealthStep? Failed(string error, bool certain, TimeProvider time)
    {
        lock (_gate)
        {
            bool atOnce = !certain && _watchers > 0;
            return BeOut(certain ? AlternateState.Down : AlternateState.Suspect, error, atOnce, time);
        }
    }

    /// <summary>A probe was answered; <paramref name="whole"/> when it showed that the alternate does its work, not only that it is there.</summary>
    public HealthStep? Answered(TimeSpan latency, bool whole, TimeProvider time)
    {
        lock (_gate)
        {
            _probes.Add(latency);
            // one that is there but refuses to work is not asked every second for ever
            if (whole) _pause = FirstPause;
            _due = After(Jittered(group.ProbeInterval), time);
            return BeUp(time);
        }
    }

    /// <summary>A probe was not answered.</summary>
    public HealthStep? Unanswered(string error, TimeProvider time)
    {
        lock (_gate)
        {
            _probes.Add(null);
            _due = null;
            return BeOut(AlternateState.Down, error, atOnce: false, time);
        }
    }

    /// <summary>Whether a probe is due; who is told so sends it. Otherwise says how long to wait.</summary>
    public bool TryBeginProbe(TimeProvider time, out TimeSpan wait)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            wait = _due is { } due && due > now ? time.GetElapsedTime(now, due) : TimeSpan.Zero;
            if (wait > TimeSpan.Zero) return false;
            // until its outcome is known nobody else probes
            _due = After(AlternateProbe.TimeLimit + group.ProbeInterval, time);
            _lastProbe = time.GetUtcNow();
            return true;
        }
    }

    /// <summary>A probe told nothing about it: something before it failed, or the one that probed has stopped.</summary>
    public void ProbeAgain(TimeProvider time)
    {
        lock (_gate) _due = After(Jittered(_state == AlternateState.Down ? _pause : group.ProbeInterval), time);
    }

    /// <summary>How it is now.</summary>
    public ChainHealth Snapshot(int place, HopAlternate alternate, ChainSelection selection)
    {
        lock (_gate)
        {
            return new ChainHealth
            {
                Place = place,
                Alternate = alternate.ToString(),
                Selection = selection,
                State = _state,
                Since = _since,
                Latency = _probes.Latency,
                MeanLatency = _probes.MeanLatency,
                Loss = _probes.Loss,
                LastProbe = _lastProbe,
                ConsecutiveFailures = _failures,
                LastError = _lastError,
            };
        }
    }

    private HealthStep? BeUp(TimeProvider time)
    {
        _failures = 0;
        return Become(AlternateState.Up, time);
    }

    private HealthStep? BeOut(AlternateState state, string error, bool atOnce, TimeProvider time)
    {
        _lastError = error;
        _failures++;
        bool isOut = _state is AlternateState.Suspect or AlternateState.Down;
        // many connections may fail at once: that is one failure as far as the next look is concerned
        if (!isOut || _due is null || _due <= time.GetTimestamp())
        {
            _due = After(atOnce ? TimeSpan.Zero : Jittered(_pause), time);
            if (!atOnce) _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        }
        return state == AlternateState.Suspect && isOut ? null : Become(state, time);
    }

    private HealthStep? Become(AlternateState state, TimeProvider time)
    {
        AlternateState before = _state;
        if (before == state) return null;
        (_state, _since) = (state, time.GetUtcNow());
        return new HealthStep(before, state);
    }

    // so that services do not probe in step
    private static TimeSpan Jittered(TimeSpan pause) => pause * (0.9 + (Random.Shared.NextDouble() * 0.2));

    private static long After(TimeSpan pause, TimeProvider time) => time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
}
