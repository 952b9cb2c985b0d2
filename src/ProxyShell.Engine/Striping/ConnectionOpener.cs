using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Opens each stream as a connection of its own, through the chains in turn; what passes over it is messages (docs/protocols/datagram-framing.md).</summary>
internal sealed class ConnectionOpener(ChainConnector connector, StripedPipeEntryOptions options) : IStreamOpener
{
    private readonly PeerDialer _dialer = new(connector, options);
    private readonly IReadOnlyList<ProxyChain> _ways = options.Ways;
    private uint _next;

    public async ValueTask<DuplexConnection> OpenAsync(StreamOpening opening, CancellationToken cancellationToken)
    {
        ProxyChain way = _ways[(int)((Interlocked.Increment(ref _next) - 1) % (uint)_ways.Count)];
        opening.Record?.Chain = way.ToString();
        Action<ChainPath>? note = way.HasAlternates && opening.Record is { } record ? path => record.Chain = path.ToString() : null;
        DuplexConnection connection = await _dialer.DialAsync(way, note, cancellationToken).ConfigureAwait(false);
        // datagrams are put into messages by whoever has them
        return opening.Kind == StreamKind.Bytes ? new MessageConnection(connection) : connection;
    }
}
