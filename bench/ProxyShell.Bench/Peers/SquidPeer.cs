namespace ProxyShell.Bench.Peers;

/// <summary>squid as a proxy that caches nothing, with a worker per processor.</summary>
internal sealed class SquidPeer : IRelayPeer
{
    private const string SocketDirectory = "/run/squid";
    private const string MemoryDirectory = "/dev/shm";

    public string Id => "squid";

    public string Name => "squid";

    public RelayService Service => RelayService.HttpConnect;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => InstalledProgram.FindLine("squid", "-v", "version");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.conf");
        File.WriteAllText(file, Configuration(plan));
        string serviceName = $"bench{plan.Port}";
        return new ProcessCommand(InstalledProgram.Find("squid")!, ["-n", serviceName, "--foreground", "-f", file])
        {
            Leftovers =
            [
                .. Processes(plan).Select(process => $"{SocketDirectory}/{serviceName}-{process}.ipc"),
                .. SharedParts.Select(part => $"{MemoryDirectory}/{serviceName}-cf__{part}.shm"),
            ],
        };
    }

    private static readonly string[] SharedParts = ["metadata", "queues", "readers"];

    private static IEnumerable<string> Processes(RelayPlan plan) =>
        Enumerable.Range(1, plan.Processors).Select(worker => $"kid-{worker}").Append("coordinator");

    // Debian's squid changes to its own user, who may not look into the bench's directory: it logs nothing there
    private static string Configuration(RelayPlan plan) => $"""
        http_port 127.0.0.1:{plan.Port}
        workers {plan.Processors}
        acl loopback src 127.0.0.0/8
        http_access allow loopback
        cache deny all
        cache_mem 0
        access_log none
        cache_store_log none
        cache_log stdio:/dev/stderr
        pid_filename {plan.Directory}/squid-{plan.Port}.pid
        coredump_dir /
        shutdown_lifetime 0 seconds

        """;
}
