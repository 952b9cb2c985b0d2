using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Opens the way of datagrams to a destination; every failure names the hop or destination at fault.</summary>
internal sealed class DatagramConnector(Dialer dialer)
{
    /// <summary>Opens the way along a path without or with hops. What comes back, and a failure later on, is told to the sink.</summary>
    public async ValueTask<DatagramPath> OpenAsync(
        ChainPath path, HostEndpoint destination, DestinationPolicy policy, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        string subject = HopNaming.Destination(TransportAddress.Tcp(destination));
        if (path.Hops.Count > 0) throw path.Fault(path.Hops.Count - 1, ProxyErrorReason.Unsupported, ProxyStage.Request, "carries no datagrams");
        try
        {
            return new DirectDatagramPath(await dialer.DialDatagramsAsync(destination, policy, beside, cancellationToken).ConfigureAwait(false), subject, sink);
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, e.Stage, subject, e.Detail, e);
        }
        catch (OperationCanceledException e)
        {
            throw new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Dial, subject, "timed out", e);
        }
    }
}
