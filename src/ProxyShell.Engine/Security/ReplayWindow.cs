using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Refuses sealed headers that are too old, too new, or came before. Nonces are remembered in three generations, each one
/// window long, so that memory is bounded and forgetting is cheap; a full generation refuses for at most one window.
/// Only headers that were opened with a key get here, so strangers cannot fill it.
/// </summary>
internal sealed class ReplayWindow
{
    /// <summary>Nonces kept per generation unless told otherwise.</summary>
    public const int DefaultCapacity = 1 << 18;

    // A header is acceptable from timestamp - Window to timestamp + Window, so its nonce must be known for two windows
    // after it first came: the rest of its own generation and two more.
    private const int Generations = 3;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly int _capacity;
    private readonly HashSet<UInt128>[] _seen = [[], [], []];
    private long _turned;
    private int _current;

    public ReplayWindow(TimeSpan window, TimeProvider time, int capacity = DefaultCapacity)
    {
        (Window, _time, _capacity) = (window, time, capacity);
        _turned = time.GetTimestamp();
    }

    /// <summary>How far a timestamp may differ from this clock, either way.</summary>
    public TimeSpan Window { get; }

    /// <summary>None when the header is fresh; then its nonce is remembered.</summary>
    public ProxyErrorReason Check(UInt128 nonce, DateTimeOffset timestamp, out TimeSpan difference)
    {
        difference = timestamp - _time.GetUtcNow();
        if (difference.Duration() > Window) return ProxyErrorReason.ClockSkew;
        lock (_gate)
        {
            Turn();
            foreach (HashSet<UInt128> generation in _seen)
            {
                if (generation.Contains(nonce)) return ProxyErrorReason.Replayed;
            }
            if (_seen[_current].Count >= _capacity) return ProxyErrorReason.LimitExceeded;
            _seen[_current].Add(nonce);
            return ProxyErrorReason.None;
        }
    }

    private void Turn()
    {
        TimeSpan age = _time.GetElapsedTime(_turned);
        if (age < Window) return;
        int turns = (int)Math.Min(Generations, age / Window);
        for (int i = 0; i < turns; i++)
        {
            _current = (_current + 1) % Generations;
            _seen[_current].Clear();
        }
        _turned = _time.GetTimestamp();
    }
}
