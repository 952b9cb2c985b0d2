using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Channels of sessions in place of connections.</summary>
internal sealed partial class PathConnector
{
    private readonly SessionPool _pool = pool ?? SessionPool.Shared;

    /// <summary>The service on whose behalf sessions are used; null for none.</summary>
    public SessionUser? User { get; init; }

    /// <summary>How sessions to addresses are kept that a client names.</summary>
    public SessionPooling Sessions { get; init; } = SessionPooling.Default;

    /// <summary>Begins a session with the last hop of a route.</summary>
    public async ValueTask<MultiplexedSession> BeginSessionAsync(SessionRoute route, CancellationToken cancellationToken)
    {
        int last = route.Path.Hops.Count - 1;
        DuplexConnection connection = await ReachAsync(route.Path, last, route.Policy, cancellationToken).ConfigureAwait(false);
        var flight = new RelayFlight(connection, route.Path, last, last + 1, FlightTarget.Session, time);
        try
        {
            await EstablishAsync(connection, flight, route.Path, early: null, cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e) when (e.Reason == ProxyErrorReason.Unsupported)
        {
            throw route.Path.Fault(last, e.Reason, e.Stage, $"takes no sessions ({e.Detail}); reach it without +mux", e);
        }
        catch (ProxyException e) when (e.HopNumber == last + 1 && e is { Stage: ProxyStage.Request, Reason: ProxyErrorReason.ConnectionReset or ProxyErrorReason.ConnectionClosed })
        {
            throw route.Path.Fault(last, e.Reason, e.Stage, $"{e.Detail}; does it serve the relay protocol?", e);
        }
        return await MultiplexedSession.StartAsync(connection, new SessionOptions { KeepAlive = route.Pooling.KeepAlive, Time = time }, cancellationToken).ConfigureAwait(false);
    }

    // a channel of a session, which leads through the hops before
    private async ValueTask<DuplexConnection> JoinAsync(ChainPath path, int index, CancellationToken cancellationToken)
    {
        try
        {
            SessionLease lease = await _pool.LeaseAsync(SessionRoute.To(path, index), this, User, cancellationToken).ConfigureAwait(false);
            return new PooledChannel(lease, this, time, (e, sessionBroke) => path.Explain(index, e, sessionBroke));
        }
        catch (OperationCanceledException e)
        {
            throw path.Fault(index, ProxyErrorReason.TimedOut, ProxyStage.Dial, "timed out", e);
        }
    }

    // what is told to the client before begins with the address that was lost
    private async ValueTask<DuplexConnection> JoinDestinationAsync(FlightTarget target, DestinationPolicy policy, CancellationToken cancellationToken)
    {
        try
        {
            SessionLease lease = await _pool.LeaseAsync(SessionRoute.To(target, Sessions, policy), this, User, cancellationToken).ConfigureAwait(false);
            return new PooledChannel(lease, this, time, (e, broke) => broke ? new ProxyException(e.Reason, e.Stage, null, $"{target.Address}: {e.Detail}", e) : e);
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, e.Stage, HopNaming.Destination(target.Address!), e.Detail, e);
        }
        catch (OperationCanceledException e)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, HopNaming.Destination(target.Address!), "timed out", e);
        }
    }
}
