namespace ProxyShell.Engine.Transport;

/// <summary>How long to wait before a connection is tried again: twice as long each time, and never all who wait at the same moment.</summary>
internal sealed class ReconnectBackOff(TimeSpan first, TimeSpan longest)
{
    private TimeSpan? _last;

    /// <summary>The next wait: half of it for sure, the other half by chance.</summary>
    public TimeSpan Next()
    {
        TimeSpan whole = _last is not { } last ? first : last > longest / 2 ? longest : last * 2;
        _last = whole;
        return whole * (0.5 + (Random.Shared.NextDouble() / 2));
    }

    /// <summary>It worked: the next time begins at the beginning.</summary>
    public void Reset() => _last = null;
}
