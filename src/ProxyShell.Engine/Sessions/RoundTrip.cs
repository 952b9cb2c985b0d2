namespace ProxyShell.Engine.Sessions;

/// <summary>The shortest round trip to the peer that was seen of late: the least of the last ten to twenty seconds.</summary>
internal sealed class RoundTrip(TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10), Recently = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _current = long.MaxValue;
    private long _previous = long.MaxValue;
    private long _since = time.GetTimestamp();
    private ReceiveWindow? _lastChannel;
    private long? _lastAt;
    private long? _otherAt;

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

    /// <summary>Little came for a channel, as happens where somebody waits for the answer.</summary>
    public void NoteLittle(ReceiveWindow channel, long at)
    {
        lock (_gate)
        {
            if (_lastChannel != channel) (_lastChannel, _otherAt) = (channel, _lastAt);
            _lastAt = at;
        }
    }

    /// <summary>Whether little came of late for a channel other than this one.</summary>
    public bool HasLittleBeside(ReceiveWindow channel, long now)
    {
        lock (_gate) return (_lastChannel == channel ? _otherAt : _lastAt) is { } at && time.GetElapsedTime(at, now) < Recently;
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
