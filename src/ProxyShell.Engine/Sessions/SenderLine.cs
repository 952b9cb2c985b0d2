namespace ProxyShell.Engine.Sessions;

/// <summary>Senders in the order of their turns; a sender stands in one line at a time.</summary>
internal sealed class SenderLine
{
    private ChannelSender? _first;
    private ChannelSender? _last;

    public bool IsEmpty => _first is null;

    public void Add(ChannelSender sender)
    {
        sender.IsQueued = true;
        if (_last is null) _first = sender;
        else _last.Next = sender;
        _last = sender;
    }

    public ChannelSender? Take()
    {
        ChannelSender? taken = _first;
        if (taken is null) return null;
        _first = taken.Next;
        if (_first is null) _last = null;
        (taken.Next, taken.IsQueued) = (null, false);
        return taken;
    }
}
