using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// One agent's live registration of one name. Several agents may have one each for the same name. <paramref name="open"/> opens a channel of
/// the agent's session.
/// </summary>
internal sealed class TunnelRegistration(TunnelGrant grant, Func<TunnelVisitor, CancellationToken, ValueTask<DuplexConnection>> open, DateTimeOffset since)
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _leaving;
    private volatile bool _isLeaving;
    private int _active;
    private long _total;

    /// <summary>What the agent was given.</summary>
    public TunnelGrant Grant => grant;

    /// <summary>When it registered.</summary>
    public DateTimeOffset Since => since;

    /// <summary>How many channels and requests are under way: the least busy agent is picked by it.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>How many there were.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Cancelled when the agent drains or is gone: it takes no new work, and channels that wait for work are to be closed.</summary>
    public CancellationToken Leaving
    {
        get
        {
            if (_isLeaving) return new CancellationToken(canceled: true);
            lock (_gate)
            {
                _leaving ??= new CancellationTokenSource();
                if (_isLeaving) _leaving.Cancel();
                return _leaving.Token;
            }
        }
    }

    /// <summary>Whether it may be given new work.</summary>
    public bool IsLeaving => _isLeaving;

    /// <summary>
    /// Opens one channel, which the agent joins to its service: one connection to the service. Whoever opens it counts its work with
    /// <see cref="Begin"/> and <see cref="End"/>.
    /// </summary>
    /// <exception cref="ProxyException">
    /// Stage <see cref="ProxyStage.Dial"/> or <see cref="ProxyStage.Tls"/>: the agent did not reach its service, the reason tells why
    /// (<see cref="ProxyErrorReason.TimedOut"/> for one that does not answer). Stage <see cref="ProxyStage.Request"/>: the agent takes no more
    /// (<see cref="ProxyErrorReason.LimitExceeded"/>, <see cref="ProxyErrorReason.Stopping"/>). Stage <see cref="ProxyStage.Relay"/>, reason
    /// <see cref="ProxyErrorReason.ConnectionClosed"/>: the agent is gone.
    /// </exception>
    public ValueTask<DuplexConnection> OpenAsync(TunnelVisitor visitor, CancellationToken cancellationToken) => open(visitor, cancellationToken);

    /// <summary>Work begins: a connection, or a request on a channel that is used again. False when the tunnel has as many as its limit allows.</summary>
    public bool Begin()
    {
        int limit = grant.Settings.MaxConnections;
        if (Interlocked.Increment(ref _active) > limit && limit > 0)
        {
            Interlocked.Decrement(ref _active);
            return false;
        }
        Interlocked.Increment(ref _total);
        return true;
    }

    /// <summary>Work that began is done.</summary>
    public void End() => Interlocked.Decrement(ref _active);

    /// <summary>No new work for it from now on.</summary>
    public void Leave()
    {
        CancellationTokenSource? leaving;
        lock (_gate)
        {
            _isLeaving = true;
            leaving = _leaving;
        }
        leaving?.Cancel();
    }
}
