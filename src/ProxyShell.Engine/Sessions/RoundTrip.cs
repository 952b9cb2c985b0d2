namespace ProxyShell.Engine.Sessions;

/// <summary>The shortest round trip to the peer that was seen of late: the least of the last ten to twenty seconds.</summary>
internal sealed class RoundTrip(TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _current = long.MaxValue;
    private long _previous = long.MaxValue;
    private long _since = time.GetTimestamp();

    /// <summary>Null as long as nothing was measured.</summary>
    public TimeSpan? Shortest
    {
        get
        {
            lock (_gate)
            {
                long least = Math.Min(_current, _previous);
                return least == long.MaxValue ? null : TimeSpan.FromTicks(least);
            }
        }
    }

    /// <summary>Something was sent at the one time that made the peer send what came at the other.</summary>
    public void Observe(long sent, long received)
    {
        long ticks = Math.Max(1, time.GetElapsedTime(sent, received).Ticks);
        lock (_gate)
        {
            if (time.GetElapsedTime(_since, received) > Period) (_previous, _current, _since) = (_current, long.MaxValue, received);
            _current = Math.Min(_current, ticks);
        }
    }
}
