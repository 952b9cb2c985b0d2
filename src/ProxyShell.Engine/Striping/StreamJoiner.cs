using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Serves one stream that came over stripes.</summary>
internal sealed class StreamJoiner(DestinationJoiner joiner, StripedPipeExitOptions options, StreamOpening opening, Action admitted) : IClientServer
{
    /// <summary>Whether the stream was admitted; one that is turned away is not.</summary>
    public bool HasServed { get; private set; }

    public Task ServeAsync(ServedConnection served)
    {
        HasServed = true;
        admitted();
        // who has the key may say for whom the stream is; limits are counted for the near end
        if (opening.Client is { } client) served.Record.ClientEndPoint = client;
        StreamKind carried = options.Udp ? StreamKind.Datagrams : StreamKind.Bytes;
        if (opening.Kind != carried) throw Unsuited(served);
        return options.Udp ? joiner.JoinDatagramsAsync(served, served.Client) : joiner.JoinBytesAsync(served, served.Client);
    }

    public ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        connection.Abort(new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Request));
        return connection.DisposeAsync();
    }

    private ProxyException Unsuited(ServedConnection served) => ServiceContext.Refused(
        served, ProxyErrorReason.Unsupported, options.Udp ? "the near end carries connections, and this far end datagrams (Udp)" : "the near end carries datagrams (Udp), and this far end connections");
}
