namespace ProxyShell.Bench.Peers;

/// <summary>A service published by ProxyShell's Host: one process as gateway, one as agent.</summary>
/// <param name="kind">Whether the gateway speaks HTTP with the public, or carries a port's connections as they are.</param>
/// <param name="encrypted">Whether the agent's connection to the gateway is TLS.</param>
internal sealed class TunnelPeer(ProxyShellHost host, TunnelKind kind, bool encrypted) : IRelayPeer
{
    private static readonly Dictionary<string, string> NoSettings = [];

    public string Id => encrypted ? ProxyShellPeer.MainId : "proxyshell-plain";

    public string Name => encrypted ? "ProxyShell tunnel" : "ProxyShell tunnel, without TLS";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan)
    {
        var files = new TunnelFiles(plan.Directory, plan.CarrierPort, encrypted);
        (string gateway, string agent) = kind == TunnelKind.Http
            ? (files.Gateway(plan.Port, null), files.WebAgent([0], plan.DestinationPort))
            : (files.Gateway(null, plan.Port), files.StreamAgent(plan.DestinationPort, plan.Port));
        return TwoEnds.Join(host.Run(gateway, NoSettings), host.Run(agent, NoSettings));
    }
}
