namespace ProxyShell.Engine.Transport;

/// <summary>How long to pause after an accept error: 25 ms, doubling up to 1 s, back to the start after a success.</summary>
internal struct AcceptBackOff
{
    private const int FirstMilliseconds = 25;
    private const int LastMilliseconds = 1000;

    private int _next;

    public TimeSpan Next()
    {
        _next = _next == 0 ? FirstMilliseconds : Math.Min(_next * 2, LastMilliseconds);
        return TimeSpan.FromMilliseconds(_next);
    }

    public void Reset() => _next = 0;
}
