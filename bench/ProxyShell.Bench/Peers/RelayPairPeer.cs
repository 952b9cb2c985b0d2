namespace ProxyShell.Bench.Peers;

/// <summary>Two plain relays of ProxyShell in a row, a Host each: what two processes cost that only pass bytes on.</summary>
internal sealed class RelayPairPeer(ProxyShellHost host) : IRelayPeer
{
    public string Id => "proxyshell-pair";

    public string Name => "ProxyShell, two plain relays";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => true;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan) => TwoEnds.Join(Relay(plan, plan.CarrierPort, plan.DestinationPort), Relay(plan, plan.Port, plan.DialledPort));

    private ProcessCommand Relay(RelayPlan plan, int port, int destination)
    {
        var listener = new HostConfiguration.AccessListener("bench", port, HostConfiguration.EndPoint(destination)) { MaxConnections = plan.MaxConnections };
        return host.Run(new HostConfiguration([], [listener]).WriteTo(plan.Directory, $"pair-{port}"), new Dictionary<string, string>());
    }
}
