namespace ProxyShell.Bench.Peers;

/// <summary>Which copy path the engine takes.</summary>
internal enum RelayPath
{
    /// <summary>The engine's own choice: <c>splice</c> where both ends are sockets.</summary>
    Automatic,

    /// <summary>Pooled buffers, as on systems without <c>splice</c>.</summary>
    Buffered,
}

/// <summary>ProxyShell's access listener without a chain, run by its Host.</summary>
internal sealed class ProxyShellPeer(ProxyShellHost host, RelayPath path) : IRelayPeer
{
    internal const string MainId = "proxyshell";

    public string Id => path == RelayPath.Automatic ? MainId : "proxyshell-buffered";

    public string Name => path == RelayPath.Automatic ? "ProxyShell" : "ProxyShell, splice off";

    public bool BulkOnly => path == RelayPath.Buffered;

    public int MaxIdlePairs => int.MaxValue;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan)
    {
        var listener = new HostConfiguration.AccessListener("bench", plan.Port, HostConfiguration.EndPoint(plan.DestinationPort))
        {
            MaxConnections = plan.MaxConnections,
        };
        string file = new HostConfiguration([], [listener]).WriteTo(plan.Directory, $"{Id}-{plan.Port}");
        var environment = new Dictionary<string, string>();
        if (path == RelayPath.Buffered)
            environment["PROXYSHELL_RELAY"] = "buffered";
        return host.Run(file, environment);
    }
}
