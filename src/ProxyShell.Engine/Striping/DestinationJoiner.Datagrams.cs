using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Destinations that take datagrams: a path of its own for each stream, so that answers find back.</summary>
internal sealed partial class DestinationJoiner
{
    // the near end, with the same limit, ends first, so that a flow which is still used is not forgotten here
    private TimeSpan IdleLimit => options.UdpIdleTimeout == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : options.UdpIdleTimeout * 1.25;

    /// <summary>Opens a path to the destination and carries the stream's datagrams to its end; failures are thrown.</summary>
    public async Task JoinDatagramsAsync(ServedConnection served, DuplexConnection stream)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State, record.IdleLimit) = ("udp", options.Destination.ToString(), ConnectionState.Connecting, IdleLimit);
        served.Clock.Allow(options.ConnectTimeout);
        var messages = new MessageStream(stream);
        var flow = new DestinationFlow(record, messages, oversize);
        DatagramPath path = await context.Outbound.OpenDatagramsAsync(record, options.Destination, flow, null, served.Clock.Allowed, served.Clock.Token).ConfigureAwait(false);
        try
        {
            record.AttachUpstream(path);
            served.EndSetUp();
            context.NoteOpen(served);
            await CarryAsync(served, flow, messages, path).ConfigureAwait(false);
        }
        finally
        {
            path.Abort();
        }
    }

    // until the near end ends the flow, or the way to the destination fails
    private async Task CarryAsync(ServedConnection served, DestinationFlow flow, MessageStream messages, DatagramPath path)
    {
        Task receiving = flow.RunAsync(path);
        if (await Task.WhenAny(receiving, flow.Failure).ConfigureAwait(false) == flow.Failure)
        {
            ProxyException failure = await flow.Failure.ConfigureAwait(false);
            served.Client.Abort(failure);
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw failure;
        }
        try
        {
            await receiving.ConfigureAwait(false);
            using var limit = new CancellationTokenSource(options.HandshakeTimeout, context.Time);
            await messages.EndAsync(limit.Token).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw RelayFailure.On(ProxySide.Client, e);
        }
        catch (OperationCanceledException e)
        {
            throw RelayFailure.On(ProxySide.Client, new ProxyException(ProxyErrorReason.TimedOut, ProxyStage.Relay, null, "did not take the last datagrams", e));
        }
    }
}
