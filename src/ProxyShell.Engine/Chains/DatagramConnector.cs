using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Opens the way of datagrams to a destination; every failure names the hop or destination at fault.</summary>
internal sealed class DatagramConnector(Dialer dialer, PathConnector paths, TimeProvider time)
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
        return path.Hops.All(TakesDatagrams)
            ? await OpenNativeAsync(path, destination, sink, beside, cancellationToken).ConfigureAwait(false)
            : await OpenStreamAsync(path, destination, sink, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DatagramPath> OpenNativeAsync(ChainPath path, HostEndpoint destination, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        HostEndpoint first = path.Hops[0].Address.Endpoint!;
        DatagramSocket socket = await DialAsync(first, DestinationPolicy.AllowAll, HopNaming.Hop(1, path.Hops[0]), 1, beside, cancellationToken).ConfigureAwait(false);
        return new RelayDatagramPath(socket, path, destination, time, sink);
    }

    private async ValueTask<DatagramPath> OpenStreamAsync(ChainPath path, HostEndpoint destination, IDatagramSink sink, CancellationToken cancellationToken)
    {
        int last = path.Hops.Count - 1;
        if (path.Hops[last].Protocol != HopProtocol.Relay)
            throw path.Fault(last, ProxyErrorReason.Unsupported, ProxyStage.Request, $"{(path.Hops[last].Scheme[0] == 'h' ? "an" : "a")} {path.Hops[last].Scheme} hop carries no datagrams; for UDP a chain has to end in a relay hop");
        var target = new FlightTarget(TransportAddress.Udp(destination), TlsTrust.System, null);
        DuplexConnection connection = await paths.ConnectAsync(path, target, null, cancellationToken).ConfigureAwait(false);
        return new StreamDatagramPath(connection, path, target.Address!, sink, time);
    }

    /// <summary>Whether a hop is reached by datagrams as it is by connections: in the clear, without layers between.</summary>
    private static bool TakesDatagrams(ProxyHop hop) => hop is { Protocol: HopProtocol.Relay, WebSocketPath: null, Address: { Kind: TransportKind.Tcp, IsMultiplexed: false } };

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
