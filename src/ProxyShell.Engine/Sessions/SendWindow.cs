namespace ProxyShell.Engine.Sessions;

/// <summary>
/// What a channel's peer lets this side have under way, and when to ask it for more. Without a limit where the protocol has none. To be used by one
/// thread at a time.
/// </summary>
internal sealed class SendWindow(bool isLimited)
{
    private const int MostRefusals = 10;

    private long _size;
    private long _inFlight;
    private int _stalls;
    private int _refusals;
    private bool _growthAsked;

    /// <summary>Whether the peer has told its size: before that nothing may be sent.</summary>
    public bool IsOpen { get; private set; }

    public void Open(long size) => (_size, IsOpen) = (size, true);

    /// <summary>How many of so many bytes may be sent now.</summary>
    public long Allowed(long wanted) => !IsOpen ? 0 : isLimited ? Math.Min(wanted, _size - _inFlight) : wanted;

    public void NoteSent(int count) => _inFlight += count;

    /// <summary>So many bytes have left the window; false when it never held that many.</summary>
    public bool TryAcknowledge(long bytes)
    {
        if (bytes > _inFlight) return false;
        _inFlight -= bytes;
        return true;
    }

    /// <summary>The peer's answer to a request for a larger window, or its own idea.</summary>
    public void Adjust(long size)
    {
        _growthAsked = false;
        if (size > _size) (_size, _refusals) = (size, 0);
        else _refusals = Math.Min(_refusals + 1, MostRefusals);
    }

    /// <summary>There is more to send than may be. Returns whether to ask for a larger window: ever less often when it is refused.</summary>
    public bool NoteStall()
    {
        if (!isLimited || !IsOpen || _inFlight < _size || _growthAsked || ++_stalls < 1 << _refusals) return false;
        (_stalls, _growthAsked) = (0, true);
        return true;
    }
}
