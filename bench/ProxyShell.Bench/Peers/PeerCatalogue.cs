namespace ProxyShell.Bench.Peers;

/// <summary>All relays, in the order in which a round measures them.</summary>
internal static class PeerCatalogue
{
    private const string BufferedId = "proxyshell-buffered";
    private const int LargePipe = 1024 * 1024;

    private static readonly IRelayPeer[] Others =
    [
        new NginxPeer(RelayService.Tcp), new NginxPeer(RelayService.Tcp, "64k"), new NginxPeer(RelayService.Udp),
        new HaproxyPeer(), new HaproxyPeer(LargePipe),
        new SocatPeer(RelayService.Tcp), new SocatPeer(RelayService.Udp),
        new MicrosocksPeer(), new DantePeer(), new TinyproxyPeer(), new SquidPeer(),
        new OpenSshPeer(), new NerdbankPeer(),
        new PlainAsyncPeer(), new DirectPeer(),
    ];

    internal static readonly IReadOnlyList<string> Ids =
        [ProxyShellPeer.MainId, BufferedId, .. Others.Select(peer => peer.Id).Distinct()];

    internal static bool AsksForProxyShell(IReadOnlyList<string> ids) => ids.Contains(ProxyShellPeer.MainId) || ids.Contains(BufferedId);

    /// <summary>The relays that were asked for, installed or not.</summary>
    internal static IEnumerable<IRelayPeer> Create(IReadOnlyList<string> ids, ProxyShellHost? host) =>
        Own(host).Concat(Others).Where(peer => ids.Contains(peer.Id));

    private static IEnumerable<IRelayPeer> Own(ProxyShellHost? host) => host is null
        ? []
        : Enum.GetValues<RelayService>()
            .Select(service => service == RelayService.Session ? (IRelayPeer)new SessionPeer(host) : new ProxyShellPeer(host, service, RelayPath.Automatic))
            .Append(new ProxyShellPeer(host, RelayService.Tcp, RelayPath.Buffered));
}
