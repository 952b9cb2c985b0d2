using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>The health of a group's alternates, and the choice among them.</summary>
internal sealed class GroupChoice(HopGroup group)
{
    // a change must be worth it: latencies that are nearly the same would make the choice swing
    private const double WorthAChange = 0.8;

    private readonly Lock _gate = new();
    private readonly AlternateHealth[] _health = [.. group.Alternates.Select(_ => new AlternateHealth(group))];
    private long _turn;
    private int _fastest;

    /// <summary>Raised after an alternate's state changed, wherever that was noticed; must be quick.</summary>
    public event Action<HealthChange>? Changed;

    public HopGroup Group => group;

    public int Count => _health.Length;

    public AlternateHealth this[int index] => _health[index];

    /// <summary>The alternates in the order in which a connection should try them now: those that are out come last, in their own order.</summary>
    public int[] Order(TimeProvider time)
    {
        bool[] isOut = [.. _health.Select(health => health.IsOut(time))];
        int[] up = [.. Indexes.Where(i => !isOut[i])], last = [.. Indexes.Where(i => isOut[i])];
        if (up.Length > 1) up = Arrange(up);
        return last.Length == 0 ? up : [.. up, .. last];
    }

    /// <summary>The alternate that a connection would most likely take; asking changes nothing.</summary>
    public int Preferred(TimeProvider time)
    {
        int present = group.Selection == ChainSelection.LowestLatency ? Volatile.Read(ref _fastest) : 0;
        return _health[present].IsOut(time) ? Math.Max(0, Array.FindIndex(_health, health => !health.IsOut(time))) : present;
    }

    /// <summary>A connection through the alternate was set up.</summary>
    public void Worked(int index, TimeProvider time) => Tell(index, _health[index].Worked(time), null);

    /// <summary>A connection failed at the alternate, or (when that is not certain) waited in vain for it or for what lies behind it.</summary>
    public void Failed(int index, ProxyException error, bool certain, TimeProvider time) => Tell(index, _health[index].Failed(error.Message, certain, time), error);

    /// <summary>A probe of the alternate was answered; <paramref name="whole"/> when it showed that the alternate does its work.</summary>
    public void Answered(int index, TimeSpan latency, bool whole, TimeProvider time) => Tell(index, _health[index].Answered(latency, whole, time), null);

    /// <summary>A probe of the alternate failed.</summary>
    public void Unanswered(int index, ProxyException error, TimeProvider time) => Tell(index, _health[index].Unanswered(error.Message, time), error);

    public IEnumerable<ChainHealth> Snapshot(int place) => _health.Select((health, i) => health.Snapshot(place, group.Alternates[i], group.Selection));

    private IEnumerable<int> Indexes => Enumerable.Range(0, _health.Length);

    private void Tell(int index, HealthStep? step, ProxyException? error)
    {
        if (step is { } changed) Changed?.Invoke(new HealthChange(group.Alternates[index], changed, error));
    }

    private int[] Arrange(int[] up)
    {
        lock (_gate)
        {
            return group.Selection switch
            {
                ChainSelection.RoundRobin => Rotate(up, (int)(_turn++ % up.Length)),
                ChainSelection.Random => Draw(up),
                ChainSelection.LowestLatency => BySpeed(up),
                _ => up,
            };
        }
    }

    private static int[] Rotate(int[] up, int start) => [.. up[start..], .. up[..start]];

    // one after the other without putting back, so that the order in which the rest is tried follows the weights too
    private int[] Draw(int[] up)
    {
        List<int> left = [.. up];
        var drawn = new int[up.Length];
        for (int i = 0; i < drawn.Length; i++)
        {
            long ticket = group.Random.NextInt64(left.Sum(index => (long)group.Alternates[index].Weight));
            int chosen = left.FindIndex(index => (ticket -= group.Alternates[index].Weight) < 0);
            drawn[i] = left[chosen];
            left.RemoveAt(chosen);
        }
        return drawn;
    }

    private int[] BySpeed(int[] up)
    {
        var latencies = up.ToDictionary(index => index, index => _health[index].MeanLatency ?? TimeSpan.MaxValue);
        int[] sorted = [.. up.OrderBy(index => latencies[index])];
        bool stays = latencies.TryGetValue(_fastest, out TimeSpan present) && latencies[sorted[0]] > present * WorthAChange;
        if (!stays) _fastest = sorted[0];
        return [_fastest, .. sorted.Where(index => index != _fastest)];
    }
}
