namespace ProxyShell.Engine.Sessions;

/// <summary>
/// What a channel's peer may send, and how much that should be: twice of what the reader takes within a round trip, which keeps the link full
/// while little waits in queues. A peer cannot be told of a smaller window, but it can be told later of what was taken; that is how what it may
/// have under way becomes less again. Since a full queue looks like a long way, now and then the window is left small until one short round trip
/// has shown how long the way is. To be used by one thread at a time.
/// </summary>
internal sealed class ReceiveWindow(long most, WindowBudget budget, RoundTrip roundTrip, TimeProvider time)
{
    // a link within one machine is so quick that what decides there is how soon threads are woken, and how much each acknowledgement costs: a
    // third of this costs a fifth more per byte
    private static readonly TimeSpan LeastRound = TimeSpan.FromMicroseconds(300);

    // as long as another channel says no more than this now and then, it shall not wait behind what only saves processor time
    private const int Little = 4 * 1024;

    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(200), MostPause = TimeSpan.FromSeconds(10);

    private const long MostUntold = 256 * 1024;
    private const long MeasuringRoom = 16 * 1024;
    private const int RoundsBetween = 50;

    private long _first;
    private long _room;
    private long _wanted;
    private long _received;
    private long _taken;
    private long _told;
    private long _askedAt;
    private long _askedLimit;
    private long _roundStart = time.GetTimestamp();
    private long _roundTaken;
    private long _measuredAt = time.GetTimestamp();
    private bool _isMeasuring;
    private bool _peerAsks;

    /// <summary>How many bytes the peer may have sent that it was not told are taken; 0 until the channel is accepted.</summary>
    public long Size { get; private set; }

    /// <summary>How many bytes it can have under way, given when it is told: at most the size.</summary>
    public long Room => _isMeasuring ? Math.Min(_room, MeasuringRoom) : _room;

    public void Open(long wanted)
    {
        if (Size == 0) Size = _room = _first = budget.Begin(wanted);
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
        if (count <= Little) roundTrip.NoteLittle(this, time.GetTimestamp());
        if (_askedAt != 0 && _received > _askedLimit) NoteRound(time.GetTimestamp());
        return _received - _told <= Size;
    }

    /// <summary>Counts what the reader took, and says what the peer should be told of that now.</summary>
    public Grant Take(int count, bool peerGrows)
    {
        _taken += count;
        long untold = _taken - (Size - Room) - _told;
        // a part of the window is told at once, so that a sender which waits always hears of it
        if (untold < Math.Clamp(Room / 4, 1, MostUntold)) return default;
        long now = time.GetTimestamp();
        if (_askedAt == 0) (_askedAt, _askedLimit) = (now, _told + Size);
        _told += untold;
        return new Grant(untold, peerGrows && !_isMeasuring ? Judge(now) : 0);
    }

    /// <summary>The peer could send more. It gets its answer when a round has shown whether it should.</summary>
    public void Ask() => _peerAsks = true;

    // the peer can have sent this only after it was told of what was taken then
    private void NoteRound(long now)
    {
        roundTrip.Observe(_askedAt, now);
        _askedAt = 0;
        if (!_isMeasuring) return;
        (_isMeasuring, _measuredAt, _roundStart, _roundTaken) = (false, now, now, _taken);
    }

    // the window's size if it has grown, or if the peer asked; else 0
    private long Judge(long now)
    {
        if (roundTrip.Shortest is not { } shortest) return 0;
        TimeSpan round = shortest > LeastRound || roundTrip.HasLittleBeside(this, now) ? shortest : LeastRound, elapsed = time.GetElapsedTime(_roundStart, now);
        if (elapsed < round) return 0;
        // one slow round is no reason to let the link run dry
        _wanted = Math.Max(_wanted - (_wanted / 8), (long)(2.0 * (_taken - _roundTaken) * round.Ticks / elapsed.Ticks));
        (_roundStart, _roundTaken) = (now, _taken);
        long target = Math.Clamp(_wanted, _first, Math.Max(_first, most));
        // a word about it should be worth its frame
        bool grows = target > Size + (Size / 4) && budget.TryGrow(target - Size);
        if (grows) Size = target;
        _room = Math.Min(target, Size);
        if (_room > _first) MeasureNowAndThen(now, round);
        bool answers = _peerAsks || grows;
        _peerAsks = false;
        return answers ? Size : 0;
    }

    private void MeasureNowAndThen(long now, TimeSpan round)
    {
        TimeSpan pause = TimeSpan.FromTicks(Math.Clamp(RoundsBetween * round.Ticks, LeastPause.Ticks, MostPause.Ticks));
        if (time.GetElapsedTime(_measuredAt, now) < pause) return;
        // the round that is measured begins with the next word to the peer, when what is under way has come down to a little
        (_isMeasuring, _askedAt) = (true, 0);
    }
}
