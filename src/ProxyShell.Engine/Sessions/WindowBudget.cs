namespace ProxyShell.Engine.Sessions;

/// <summary>What the receive windows of all channels of a session come to.</summary>
internal sealed class WindowBudget(long limit)
{
    /// <summary>What a channel gets at least, whatever the others hold: less would crawl.</summary>
    public const long Least = 20 * 1024;

    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes a first window: the wanted one, or the least when there is no room for it.</summary>
    public long Begin(long wanted)
    {
        if (wanted <= Least || Interlocked.Add(ref _used, wanted) <= limit)
        {
            if (wanted <= Least) Interlocked.Add(ref _used, wanted);
            return wanted;
        }
        Interlocked.Add(ref _used, Least - wanted);
        return Least;
    }

    /// <summary>Takes so much more, if there is room.</summary>
    public bool TryGrow(long by)
    {
        if (Interlocked.Add(ref _used, by) <= limit) return true;
        Interlocked.Add(ref _used, -by);
        return false;
    }

    public void GiveBack(long window) => Interlocked.Add(ref _used, -window);
}
