namespace ProxyShell.Engine.Relaying;

/// <summary>
/// What one client's connections may move: the client's own rate, if there is one, and that of the whole service, each direction by
/// itself. Rates may change at any time. Without a limit every question is answered at once, by a look at two numbers.
/// </summary>
internal sealed class Bandwidth
{
    private readonly BandwidthLimits? _limits;
    private volatile TokenBucket[] _sent;
    private volatile TokenBucket[] _received;

    public Bandwidth(BandwidthLimits limits)
    {
        _limits = limits;
        (_sent, _received) = (limits.Sent, limits.Received);
    }

    private Bandwidth() => (_sent, _received) = ([], []);

    /// <summary>No limit, now and ever.</summary>
    public static Bandwidth Unlimited { get; } = new();

    /// <summary>Whether anything but the network limits this direction now.</summary>
    public bool IsLimited(TrafficDirection direction)
    {
        foreach (TokenBucket bucket in Buckets(direction))
        {
            if (bucket.Rate != 0) return true;
        }
        return false;
    }

    /// <summary>Sets the client's own rate in bytes per second, 0 for none.</summary>
    public void SetClientRate(long rate)
    {
        if (_limits is null || (rate == 0 && _sent.Length == 1)) return;
        if (_sent.Length == 1) (_sent, _received) = ([_limits.NewBucket(), .. _sent], [_limits.NewBucket(), .. _received]);
        _sent[0].SetRate(rate);
        _received[0].SetRate(rate);
    }

    /// <summary>Takes 1 to <paramref name="wanted"/> bytes, after waiting for its turn if need be.</summary>
    public ValueTask<int> TakeAsync(int wanted, TrafficDirection direction, CancellationToken cancellationToken) =>
        IsLimited(direction) ? new AwaitedClaim(this, direction).TakeAsync(wanted, cancellationToken) : new ValueTask<int>(wanted);

    /// <summary>Takes so many bytes, after waiting for as many turns as that needs.</summary>
    public async ValueTask WaitAsync(int bytes, TrafficDirection direction, CancellationToken cancellationToken)
    {
        while (bytes > 0) bytes -= await TakeAsync(bytes, direction, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes so many bytes or none at once, for datagrams, which are dropped when it returns false. May overdraw: a datagram cannot be divided.</summary>
    public bool TryTake(int bytes, TrafficDirection direction)
    {
        TokenBucket[] buckets = Buckets(direction);
        for (int i = 0; i < buckets.Length; i++)
        {
            if (buckets[i].TryTake(bytes)) continue;
            while (--i >= 0) buckets[i].Charge(-bytes);
            return false;
        }
        return true;
    }

    /// <summary>Counts bytes that have moved already; those that come later wait for it.</summary>
    public void Charge(int bytes, TrafficDirection direction)
    {
        foreach (TokenBucket bucket in Buckets(direction)) bucket.Charge(bytes);
    }

    /// <summary>Gives bytes back that were taken and not used.</summary>
    public void GiveBack(int bytes, TrafficDirection direction) => Charge(-bytes, direction);

    /// <summary>The buckets of a direction, the client's own before that of the service.</summary>
    internal TokenBucket[] Buckets(TrafficDirection direction) => direction == TrafficDirection.Sent ? _sent : _received;
}
