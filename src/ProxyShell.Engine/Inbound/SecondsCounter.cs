namespace ProxyShell.Engine.Inbound;

/// <summary>Allows something so many times a second; for use by several threads.</summary>
internal sealed class SecondsCounter(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _began;
    private int _count;

    /// <summary>Counts once more; false when it was counted so often within this second.</summary>
    public bool TryCount(int limit)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            if (_began == 0 || time.GetElapsedTime(_began, now) >= TimeSpan.FromSeconds(1)) (_began, _count) = (now, 0);
            return ++_count <= limit;
        }
    }
}
