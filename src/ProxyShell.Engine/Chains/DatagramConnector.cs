using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Opens the way of datagrams to a destination; every failure names the hop or destination at fault.</summary>
internal sealed class DatagramConnector(Dialer dialer, TimeProvider time)
{
    /// <summary>Opens the way along a path without or with hops. What comes back, and a failure later on, is told to the sink.</summary>
    public async ValueTask<DatagramPath> OpenAsync(
        ChainPath path, HostEndpoint destination, DestinationPolicy policy, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        if (path.Hops.Count == 0)
        {
            string subject = HopNaming.Destination(TransportAddress.Udp(destination));
            return new DirectDatagramPath(await DialAsync(destination, policy, subject, null, beside, cancellationToken).ConfigureAwait(false), subject, sink);
        }
        if (!path.Hops.All(TakesDatagrams)) throw path.Fault(path.Hops.Count - 1, ProxyErrorReason.Unsupported, ProxyStage.Request, "carries no datagrams");
        HostEndpoint first = path.Hops[0].Address.Endpoint!;
        DatagramSocket socket = await DialAsync(first, DestinationPolicy.AllowAll, HopNaming.Hop(1, path.Hops[0]), 1, beside, cancellationToken).ConfigureAwait(false);
        return new RelayDatagramPath(socket, path, destination, time, sink);
    }

    /// <summary>Whether a hop is reached by datagrams as it is by connections: in the clear, without layers between.</summary>
    private static bool TakesDatagrams(ProxyHop hop) => hop is { Protocol: HopProtocol.Relay, WebSocketPath: null, Address.Kind: TransportKind.Tcp };

    private async ValueTask<DatagramSocket> DialAsync(
        HostEndpoint endpoint, DestinationPolicy policy, string subject, int? hop, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        try
        {
            return await dialer.DialDatagramsAsync(endpoint, policy, beside, cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, e.Stage, subject, e.Detail, e) { HopNumber = hop };
        }
        catch (OperationCanceledException e)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, subject, "timed out", e) { HopNumber = hop };
        }
    }
}
