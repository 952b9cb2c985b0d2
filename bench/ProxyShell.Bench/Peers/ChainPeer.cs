namespace ProxyShell.Bench.Peers;

/// <summary>ProxyShell's access listener with a chain of relay hops, all in one process.</summary>
internal sealed class ChainPeer(ProxyShellHost host, int hops) : IRelayPeer
{
    public string Id => "proxyshell-chain";

    public string Name => $"ProxyShell, chain of {hops}";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan)
    {
        int[] hopPorts = [.. Enumerable.Range(0, hops).Select(_ => FreePorts.Take())];
        return Prepare(plan, hopPorts, hopPorts);
    }

    /// <summary>As above, with the ports under which the hops are reached set apart from those on which they listen.</summary>
    internal ProcessCommand Prepare(RelayPlan plan, IReadOnlyList<int> hopPorts, IReadOnlyList<int> dialledPorts)
    {
        var listener = new HostConfiguration.AccessListener("bench", plan.Port, HostConfiguration.EndPoint(plan.DestinationPort))
        {
            Chain = [.. dialledPorts.Select(HostConfiguration.HopUri)],
            MaxConnections = plan.MaxConnections,
        };
        IEnumerable<HostConfiguration.ProxyServer> servers =
            hopPorts.Select((port, index) => new HostConfiguration.ProxyServer($"hop{index + 1}", port));
        string file = new HostConfiguration([.. servers], [listener]).WriteTo(plan.Directory, $"chain-{plan.Port}");
        return host.Run(file, new Dictionary<string, string>());
    }
}
