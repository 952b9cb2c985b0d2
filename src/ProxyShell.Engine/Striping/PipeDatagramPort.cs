using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>The UDP port of a near end: a stream to the far end for each client, in which each message is a datagram.</summary>
internal sealed class PipeDatagramPort(string peer, OversizeLog oversize) : ClientFlowPort
{
    private volatile Way? _way;

    protected override string Destination => peer;

    /// <summary>Says what new flows go by; to be said before the first.</summary>
    public void Use(InboundContext context, IStreamOpener opener) => _way = new Way(context, opener);

    protected override InboundContext TakeContext() => _way!.Context;

    protected override async ValueTask<DatagramPath> OpenPathAsync(ForwardedFlow flow, InboundContext context, SetUpClock clock)
    {
        var opening = new StreamOpening(StreamKind.Datagrams, flow.Client.ToEndPoint()) { Record = flow.Record };
        DuplexConnection stream = await _way!.Opener.OpenAsync(opening, clock.Token).ConfigureAwait(false);
        return new MessageDatagramPath(stream, flow, $"peer {peer}", Socket.MaxPayload, oversize);
    }

    private sealed record Way(InboundContext Context, IStreamOpener Opener);
}
