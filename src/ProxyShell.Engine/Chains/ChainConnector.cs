using System.Globalization;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Connects to a destination through a chain; every failure names the hop or destination at fault. Where the chain has alternates, one that
/// fails is marked and the next is tried, within the same time limit: the client sees the last failure only.
/// </summary>
internal sealed partial class ChainConnector(Dialer dialer, TimeProvider time, SessionPool? pool = null)
{
    // what a path gets at least, as long as that is not more than half the time
    private static readonly TimeSpan LeastShare = TimeSpan.FromSeconds(2);

    /// <summary>Walks one path; also for probes.</summary>
    public PathConnector Paths { get; private set; } = new(dialer, time, pool);

    public TimeProvider Time => time;

    /// <summary>From now on uses sessions on behalf of a service, and keeps those to addresses that clients name in its way.</summary>
    public void UseSessions(SessionUser user, SessionPooling sessions) => Paths = new PathConnector(dialer, time, pool) { User = user, Sessions = sessions };

    /// <summary>The service has stopped: sessions that nobody else uses are closed.</summary>
    public Task LeaveSessionsAsync() => Paths.User is { } user ? (pool ?? SessionPool.Shared).LeaveAsync(user) : Task.CompletedTask;

    /// <summary>Connects to a destination with no more to say about it.</summary>
    public ValueTask<DuplexConnection> ConnectAsync(ProxyChain chain, TransportAddress destination, DestinationPolicy policy, CancellationToken cancellationToken) =>
        ConnectAsync(new ChainRequest(chain, new FlightTarget(destination, TlsTrust.System, null), policy), cancellationToken);

    /// <summary>Connects. A cancelled token counts as a time-out, since deadlines are its use here; who cancels for another reason knows.</summary>
    public async ValueTask<DuplexConnection> ConnectAsync(ChainRequest request, CancellationToken cancellationToken)
    {
        (ProxyChain chain, FlightTarget target, DestinationPolicy policy) = request;
        if (chain.Count == 0) return await Paths.DialDestinationAsync(target, policy, cancellationToken).ConfigureAwait(false);
        TransportAddress destination = target.Address!;
        if (destination.Endpoint is { } endpoint ? !policy.AllowsUnresolved(endpoint) : !policy.AllowsUnixSockets)
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(destination));
        return chain.HasAlternates
            ? await SearchAsync(request, cancellationToken).ConfigureAwait(false)
            : await Paths.ConnectAsync(chain.Path, target, request.Early, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DuplexConnection> SearchAsync(ChainRequest request, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        var search = new PathSearch(request.Chain, time);
        while (true)
        {
            request.Trying?.Invoke(search.Path);
            try
            {
                DuplexConnection connection = await TryAsync(request, search, start, cancellationToken).ConfigureAwait(false);
                search.Succeed();
                return connection;
            }
            catch (ProxyException e)
            {
                // at the end of the whole time, or when the client is gone, nobody is to blame and nothing is left to try
                if (cancellationToken.IsCancellationRequested || !search.MoveOn(e)) throw search.Tried == 1 ? e : Last(e, search.Tried);
            }
        }
    }

    private async ValueTask<DuplexConnection> TryAsync(ChainRequest request, PathSearch search, long start, CancellationToken cancellationToken)
    {
        // sent ahead, payload might reach the destination though the path fails, and then a second time by another path
        if (search.Left == 1) return await Paths.ConnectAsync(search.Path, request.Target, request.Early, cancellationToken).ConfigureAwait(false);
        if (request.TimeLimit is not { } limit) return await Paths.ConnectAsync(search.Path, request.Target, null, cancellationToken).ConfigureAwait(false);
        using var share = new CancellationTokenSource(Share(limit, time.GetElapsedTime(start), search.Left), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, share.Token);
        return await Paths.ConnectAsync(search.Path, request.Target, null, either.Token).ConfigureAwait(false);
    }

    private static TimeSpan Share(TimeSpan limit, TimeSpan spent, int left)
    {
        TimeSpan rest = limit > spent ? limit - spent : TimeSpan.Zero;
        TimeSpan least = LeastShare < limit / 2 ? LeastShare : limit / 2;
        return rest / left > least ? rest / left : least;
    }

    private static ProxyException Last(ProxyException e, int tried) =>
        new(e.Reason, e.Stage, e.Subject, string.Create(CultureInfo.InvariantCulture, $"{e.Detail}; the last of {tried} ways tried"), e) { HopNumber = e.HopNumber, Side = e.Side };
}
