using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Connects a near end to its far end: through a chain, then TLS, end to end.</summary>
internal sealed class PeerDialer(ChainConnector connector, StripedPipeEntryOptions options)
{
    private readonly string _peer = NameOf(options.Peer);

    /// <summary>How the far end is named in messages.</summary>
    public static string NameOf(TransportAddress peer) => $"peer {peer}";

    /// <summary>Connects; of a chain with alternates, the path that is tried is told.</summary>
    /// <exception cref="ProxyException">It cannot be reached; the message names the hop or the peer.</exception>
    public async ValueTask<DuplexConnection> DialAsync(ProxyChain chain, Action<ChainPath>? trying, CancellationToken cancellationToken)
    {
        // TLS is not left to the last hop: it would see everything, and show its own certificate
        TransportAddress address = options.Peer.Endpoint is { } endpoint ? TransportAddress.Tcp(endpoint) : options.Peer;
        var request = new ChainRequest(chain, new FlightTarget(address, TlsTrust.System, null), DestinationPolicy.AllowAll) { TimeLimit = options.ConnectTimeout, Trying = trying };
        try
        {
            DuplexConnection connection = await connector.ConnectAsync(request, cancellationToken).ConfigureAwait(false);
            return options.Peer.Kind == TransportKind.Tls
                ? await TlsTransport.ConnectAsync(connection, options.PeerTrust, options.PeerServerName ?? options.Peer.Endpoint!.Host, options.ClientCertificate, cancellationToken).ConfigureAwait(false)
                : connection;
        }
        catch (ProxyException e) when (e.HopNumber is null)
        {
            throw new ProxyException(e.Reason, e.Stage, _peer, e.Detail, e) { Side = ProxySide.Upstream };
        }
    }
}
