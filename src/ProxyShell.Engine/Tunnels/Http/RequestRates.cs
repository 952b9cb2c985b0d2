namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// Counts requests by key against a rate with a burst (the generic cell rate algorithm, ITU-T I.371): of each key is kept only when the next
/// request would be due if all came evenly, and nothing of those that have been quiet.
/// </summary>
internal sealed class RequestRates<TKey>(TimeProvider time)
    where TKey : notnull
{
    private const int FirstPurge = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, long> _due = [];
    private int _purgeAt = FirstPurge;

    /// <summary>How many keys are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _due.Count;
        }
    }

    /// <summary>Counts one more request; null when the rate (per second) and the burst allow it, else how long to wait until they do.</summary>
    public TimeSpan? TryCount(TKey key, double rate, int burst)
    {
        long now = time.GetTimestamp();
        double step = time.TimestampFrequency / rate;
        lock (_gate)
        {
            Purge(now);
            long due = Math.Max(_due.GetValueOrDefault(key, now), now);
            double early = due - now - (step * (burst - 1));
            if (early >= 1) return TimeSpan.FromSeconds(early / time.TimestampFrequency);
            _due[key] = due + (long)step;
            return null;
        }
    }

    // looked for when their number has doubled, so that each costs little
    private void Purge(long now)
    {
        if (_due.Count < _purgeAt) return;
        foreach ((TKey key, long due) in _due)
        {
            if (due <= now) _due.Remove(key);
        }
        _purgeAt = Math.Max(FirstPurge, 2 * _due.Count);
    }
}
