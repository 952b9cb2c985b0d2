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

    /// <summary>Opens the way of one flow of datagrams; what comes back, and a failure later on, is told to the sink.</summary>
    public ValueTask<DatagramPath> OpenDatagramsAsync(
        ProxyChain chain, HostEndpoint destination, DestinationPolicy policy, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        if (chain.Count > 0 && !policy.AllowsUnresolved(destination))
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(TransportAddress.Tcp(destination)));
        return _datagrams.OpenAsync(chain.Path, destination, policy, sink, beside, cancellationToken);
    }
}
