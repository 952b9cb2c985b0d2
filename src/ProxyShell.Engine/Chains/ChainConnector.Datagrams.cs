using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Datagrams through a chain. Of alternates the first is taken whose path can be set up. Hops that take datagrams as such are not asked
/// then: when such a path fails later on, the flow ends, the failing alternate is marked, and the next flow takes another.
/// </summary>
internal sealed partial class ChainConnector
{
    private DatagramConnector Datagrams => field ??= new DatagramConnector(dialer, Paths, time);

    /// <summary>Opens the way of one flow of datagrams; what comes back, and a failure later on, is told to the sink.</summary>
    public async ValueTask<DatagramPath> OpenDatagramsAsync(ChainRequest request, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        HostEndpoint destination = request.Target.Address!.Endpoint!;
        if (request.Chain.Count > 0 && !request.Policy.AllowsUnresolved(destination))
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(request.Target.Address));
        return request.Chain.HasAlternates
            ? await SearchAsync(request, sink, beside, cancellationToken).ConfigureAwait(false)
            : await Datagrams.OpenAsync(request.Chain.Path, destination, request.Policy, sink, beside, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DatagramPath> SearchAsync(ChainRequest request, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        var search = new PathSearch(request.Chain, time);
        while (true)
        {
            request.Trying?.Invoke(search.Path);
            try
            {
                using var share = new CancellationTokenSource(Share(request.TimeLimit ?? Timeout.InfiniteTimeSpan, time.GetElapsedTime(start), search.Left), time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, share.Token);
                return await Datagrams.OpenAsync(search.Path, request.Target.Address!.Endpoint!, request.Policy, new BlamingSink(sink, search), beside, either.Token).ConfigureAwait(false);
            }
            catch (ProxyException e)
            {
                if (cancellationToken.IsCancellationRequested || !search.MoveOn(e)) throw search.Tried == 1 ? e : Last(e, search.Tried);
            }
        }
    }
}
