namespace ProxyShell.Engine.Transport.Linux;

/// <summary>The loops of this process: one per processor, at most eight, started when the first is needed.</summary>
internal static class EpollLoops
{
    private const int MaxLoops = 8;

    // a loop that is this much busier than the idlest hands new connections over
    private const int Imbalance = 4;

    private static readonly Lazy<EpollLoop[]> Loops = new(Start);

    private static uint s_next;

    public static IReadOnlyList<EpollLoop> All => Loops.Value;

    /// <summary>The next loop in turn, for connections that start elsewhere.</summary>
    public static EpollLoop Next()
    {
        EpollLoop[] loops = Loops.Value;
        return loops[Interlocked.Increment(ref s_next) % (uint)loops.Length];
    }

    /// <summary>The loop for a connection that <paramref name="current"/> accepted: itself unless it is clearly the busier one.</summary>
    public static EpollLoop Place(EpollLoop current)
    {
        EpollLoop idlest = current;
        foreach (EpollLoop loop in Loops.Value)
        {
            if (loop.Load < idlest.Load) idlest = loop;
        }
        return current.Load - idlest.Load >= Imbalance ? idlest : current;
    }

    private static EpollLoop[] Start() =>
        [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, MaxLoops)).Select(number => new EpollLoop(number))];
}
