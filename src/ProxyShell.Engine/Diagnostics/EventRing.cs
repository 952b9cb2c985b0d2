namespace ProxyShell.Engine.Diagnostics;

/// <summary>The newest events of a service, at most <see cref="Capacity"/>; older ones make room.</summary>
public sealed class EventRing
{
    /// <summary>How many events a service keeps unless told otherwise.</summary>
    public const int DefaultCapacity = 1000;

    private readonly Lock _gate = new();
    private readonly ProxyEvent?[] _slots;
    private long _count;

    internal EventRing(int capacity) => _slots = new ProxyEvent?[capacity];

    /// <summary>The most events kept.</summary>
    public int Capacity => _slots.Length;

    /// <summary>How many events were ever written.</summary>
    public long TotalCount
    {
        get
        {
            lock (_gate) return _count;
        }
    }

    /// <summary>The kept events, oldest first.</summary>
    public IReadOnlyList<ProxyEvent> ToList()
    {
        lock (_gate)
        {
            long first = Math.Max(0, _count - _slots.Length);
            var list = new List<ProxyEvent>((int)(_count - first));
            for (long i = first; i < _count; i++) list.Add(_slots[i % _slots.Length]!);
            return list;
        }
    }

    internal void Add(ProxyEvent item)
    {
        lock (_gate) _slots[_count++ % _slots.Length] = item;
    }
}
