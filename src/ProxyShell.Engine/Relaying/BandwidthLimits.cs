namespace ProxyShell.Engine.Relaying;

/// <summary>The rates that all connections of a service share, one for each direction.</summary>
internal sealed class BandwidthLimits
{
    private readonly TimeProvider _time;

    public BandwidthLimits(TimeProvider time)
    {
        _time = time;
        (Sent, Received) = ([NewBucket()], [NewBucket()]);
    }

    public TokenBucket[] Sent { get; }

    public TokenBucket[] Received { get; }

    public TokenBucket NewBucket() => new(_time);

    /// <summary>Sets both rates, in bytes per second; 0 for no limit.</summary>
    public void SetRate(long rate)
    {
        Sent[0].SetRate(rate);
        Received[0].SetRate(rate);
    }
}
