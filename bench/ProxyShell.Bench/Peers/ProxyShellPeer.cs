namespace ProxyShell.Bench.Peers;

/// <summary>Which copy path the engine takes.</summary>
internal enum RelayPath
{
    /// <summary>The engine's own choice: <c>splice</c> where both ends are sockets.</summary>
    Automatic,

    /// <summary>Pooled buffers, as on systems without <c>splice</c>.</summary>
    Buffered,
}

/// <summary>ProxyShell without a chain, run by its Host: an access listener, or a proxy server where the client names the destination.</summary>
internal sealed class ProxyShellPeer(ProxyShellHost host, RelayService service, RelayPath path) : IRelayPeer
{
    internal const string MainId = "proxyshell";

    public string Id { get; init; } = path == RelayPath.Automatic ? MainId : "proxyshell-buffered";

    public string Name { get; init; } = path == RelayPath.Automatic ? "ProxyShell" : "ProxyShell, splice off";

    public RelayService Service => service;

    public bool BulkOnly => path == RelayPath.Buffered;

    public int MaxIdlePairs => int.MaxValue;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Configuration(plan).WriteTo(plan.Directory, $"{Id}-{plan.Port}");
        var environment = new Dictionary<string, string>();
        if (path == RelayPath.Buffered)
            environment["PROXYSHELL_RELAY"] = "buffered";
        return host.Run(file, environment);
    }

    private HostConfiguration Configuration(RelayPlan plan)
    {
        if (service is RelayService.Socks5 or RelayService.HttpConnect)
            return new([new HostConfiguration.ProxyServer("bench", plan.Port) { MaxConnections = plan.MaxConnections }], []);
        var listener = new HostConfiguration.AccessListener("bench", plan.Port, HostConfiguration.EndPoint(plan.DestinationPort))
        {
            Udp = service == RelayService.Udp ? true : null,
            MaxConnections = plan.MaxConnections,
        };
        return new([], [listener]);
    }
}
