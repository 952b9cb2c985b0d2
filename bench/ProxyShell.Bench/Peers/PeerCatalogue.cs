namespace ProxyShell.Bench.Peers;

/// <summary>All relays, in the order in which a round measures them.</summary>
internal static class PeerCatalogue
{
    private const string BufferedId = "proxyshell-buffered";
    private const int LargePipe = 1024 * 1024;

    private static readonly IRelayPeer[] Others =
    [
        new NginxPeer(), new NginxPeer("64k"), new HaproxyPeer(), new HaproxyPeer(LargePipe), new SocatPeer(), new PlainAsyncPeer(),
        new DirectPeer(),
    ];

    internal static readonly IReadOnlyList<string> Ids = [ProxyShellPeer.MainId, BufferedId, .. Others.Select(peer => peer.Id)];

    internal static bool AsksForProxyShell(IReadOnlyList<string> ids) => ids.Contains(ProxyShellPeer.MainId) || ids.Contains(BufferedId);

    /// <summary>The relays that were asked for, installed or not.</summary>
    internal static IEnumerable<IRelayPeer> Create(IReadOnlyList<string> ids, ProxyShellHost? host)
    {
        IRelayPeer[] own = host is null
            ? []
            : [new ProxyShellPeer(host, RelayPath.Automatic), new ProxyShellPeer(host, RelayPath.Buffered)];
        return own.Concat(Others).Where(peer => ids.Contains(peer.Id));
    }
}
