namespace ProxyShell.Engine.Sessions;

/// <summary>
/// What a channel's peer may send, and how much that should be. The window follows what the reader really takes within a round trip (as TCP's
/// receivers do): twice that keeps the link full, and no more than that waits in queues. A reader that stalls never gets a larger one.
/// To be used by one thread at a time.
/// </summary>
internal sealed class ReceiveWindow(long most, WindowBudget budget, RoundTrip roundTrip, TimeProvider time)
{
    // a link within one machine is so quick that what decides there is how soon threads are woken
    private static readonly TimeSpan LeastRound = TimeSpan.FromMicroseconds(250);

    private const long MostUntold = 256 * 1024;

    private long _received;
    private long _taken;
    private long _told;
    private long _askedAt;
    private long _askedLimit;
    private long _roundStart = time.GetTimestamp();
    private long _roundTaken;
    private bool _asked;

    /// <summary>How many bytes the peer may have sent that it was not told are taken; 0 until the channel is accepted.</summary>
    public long Size { get; private set; }

    public void Open(long wanted)
    {
        if (Size == 0) Size = budget.Begin(wanted);
    }

    public void Close()
    {
        budget.GiveBack(Size);
        Size = 0;
    }

    /// <summary>Counts what came; false when it is more than the window.</summary>
    public bool TryReceive(int count)
    {
        _received += count;
        if (_askedAt != 0 && _received > _askedLimit)
        {
            // the peer can have sent this only after it was told of what was taken then
            roundTrip.Observe(_askedAt, time.GetTimestamp());
            _askedAt = 0;
        }
        return _received - _told <= Size;
    }

    /// <summary>Counts what the reader took, and says what the peer should be told of that now.</summary>
    public Grant Take(int count, bool peerGrows)
    {
        _taken += count;
        long untold = _taken - _told;
        // a part of the window is told at once, so that a sender which waits always hears of it
        if (untold < Math.Clamp(Size / 4, 1, MostUntold)) return default;
        long now = time.GetTimestamp();
        if (_askedAt == 0) (_askedAt, _askedLimit) = (now, _told + Size);
        _told = _taken;
        return new Grant(untold, peerGrows ? Judge(now) : 0);
    }

    /// <summary>The peer could send more. It gets its answer when a round has shown whether it should.</summary>
    public void Ask() => _asked = true;

    // the window's size if it has grown, or if the peer asked; else 0
    private long Judge(long now)
    {
        TimeSpan elapsed = time.GetElapsedTime(_roundStart, now);
        if (roundTrip.Shortest is not { } shortest) return 0;
        TimeSpan round = shortest > LeastRound ? shortest : LeastRound;
        if (elapsed < round) return 0;
        long wanted = Math.Min(most, (long)(2.0 * (_taken - _roundTaken) * round.Ticks / elapsed.Ticks));
        (_roundStart, _roundTaken) = (now, _taken);
        // a word about it should be worth its frame
        bool grows = wanted > Size + (Size / 4) && budget.TryGrow(wanted - Size);
        if (grows) Size = wanted;
        bool answers = _asked || grows;
        _asked = false;
        return answers ? Size : 0;
    }
}
