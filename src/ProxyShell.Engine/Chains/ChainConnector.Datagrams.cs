using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Datagrams through a chain.</summary>
internal sealed partial class ChainConnector
{
    private readonly DatagramConnector _datagrams = new(dialer, time);

    /// <summary>
    /// Opens the way of one flow of datagrams; what comes back, and a failure later on, is told to the sink. Of alternates the first is taken
    /// whose way can be opened. Whether it works shows only later: one that fails then is suspect, and the next flow takes another.
    /// </summary>
    public async ValueTask<DatagramPath> OpenDatagramsAsync(
        ProxyChain chain, HostEndpoint destination, DestinationPolicy policy, IDatagramSink sink, DatagramSocket? beside, Action<ChainPath>? trying, CancellationToken cancellationToken)
    {
        if (chain.Count > 0 && !policy.AllowsUnresolved(destination))
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(TransportAddress.Tcp(destination)));
        if (!chain.HasAlternates) return await _datagrams.OpenAsync(chain.Path, destination, policy, sink, beside, cancellationToken).ConfigureAwait(false);
        var search = new PathSearch(chain, time);
        while (true)
        {
            trying?.Invoke(search.Path);
            try
            {
                return await _datagrams.OpenAsync(search.Path, destination, policy, new SuspectingSink(search, sink), beside, cancellationToken).ConfigureAwait(false);
            }
            catch (ProxyException e) when (!cancellationToken.IsCancellationRequested && search.MoveOn(e))
            {
                // the next one
            }
        }
    }
}
