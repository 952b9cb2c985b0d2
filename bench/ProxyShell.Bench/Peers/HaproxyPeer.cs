namespace ProxyShell.Bench.Peers;

/// <summary>haproxy in TCP mode with all its splice options.</summary>
/// <param name="pipeSize">The value of <c>tune.pipesize</c> in bytes; null leaves the kernel's own, 64 KiB.</param>
internal sealed class HaproxyPeer(int? pipeSize = null) : IRelayPeer
{
    public string Id => pipeSize is null ? "haproxy" : "haproxy-1m";

    public string Name => pipeSize is null ? "haproxy" : "haproxy, 1 MiB pipes";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => pipeSize is not null;

    public int MaxIdlePairs => int.MaxValue;

    public string? FindVersion() => InstalledProgram.FindLine("haproxy", "-v", "version");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.cfg");
        File.WriteAllText(file, Configuration(plan));
        return new ProcessCommand(InstalledProgram.Find("haproxy")!, ["-db", "-q", "-f", file]);
    }

    // maxpipes is set because haproxy else reserves descriptors for as many pipes as a quarter of the connections;
    // splice-auto alone rarely splices here, the two others make it certain
    private string Configuration(RelayPlan plan) => $"""
        global
            maxconn {plan.MaxConnections}
            maxpipes 256
            {(pipeSize is null ? string.Empty : $"tune.pipesize {pipeSize}")}
        defaults
            mode tcp
            maxconn {plan.MaxConnections}
            option splice-auto
            option splice-request
            option splice-response
            timeout connect 10s
            timeout client 1h
            timeout server 1h
        listen relay
            bind 127.0.0.1:{plan.Port} backlog 4096
            server origin 127.0.0.1:{plan.DestinationPort}

        """;
}
