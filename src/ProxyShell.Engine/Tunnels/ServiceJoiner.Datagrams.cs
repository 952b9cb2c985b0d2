using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Services that take datagrams: a socket of its own for each visitor, so that answers find back.</summary>
internal sealed partial class ServiceJoiner
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private ValueTask<DatagramSocket> OpenDatagramsAsync(CancellationToken cancellationToken) =>
        _dialer.DialDatagramsAsync(options.Destination.Address.Endpoint!, DestinationPolicy.AllowAll, null, cancellationToken);

    // until the gateway ends the flow, or the service refuses it
    private async ValueTask<ProxyException?> CarryAsync(SessionChannel channel, DatagramSocket socket, ProxyConnection record)
    {
        await using (channel.ConfigureAwait(false))
        {
            var flow = new StreamedFlow(record);
            var path = new DirectDatagramPath(socket, $"service ({options.Destination})", flow);
            record.AttachUpstream(path);
            var stream = new DatagramStream(channel);
            Task receiving = flow.RunAsync(stream, path);
            ProxyException? failure = null;
            if (await Task.WhenAny(receiving, flow.Failure).ConfigureAwait(false) == flow.Failure)
            {
                failure = await flow.Failure.ConfigureAwait(false);
                channel.Abort(Told(failure.Reason));
            }
            failure = await EndAsync(stream, receiving).ConfigureAwait(false) ?? failure;
            path.Abort();
            return failure;
        }
    }

    private async ValueTask<ProxyException?> EndAsync(DatagramStream stream, Task receiving)
    {
        try
        {
            await receiving.ConfigureAwait(false);
            using var limit = new CancellationTokenSource(EndLimit, options.TimeProvider);
            await stream.EndAsync(default, limit.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (ProxyException e)
        {
            return RelayFailure.On(ProxySide.Client, e);
        }
    }
}
