namespace ProxyShell.Bench.Peers;

/// <summary>socat, which forks a process per connection.</summary>
internal sealed class SocatPeer : IRelayPeer
{
    public string Id => "socat";

    public string Name => "socat";

    public bool BulkOnly => false;

    public int MaxIdlePairs => 500;

    public string? FindVersion() => InstalledProgram.FindLine("socat", "-V", "socat version");

    public ProcessCommand Prepare(RelayPlan plan) => new(
        InstalledProgram.Find("socat")!,
        [
            "-b", "65536",
            $"TCP-LISTEN:{plan.Port},bind=127.0.0.1,fork,reuseaddr,backlog=4096",
            $"TCP:127.0.0.1:{plan.DestinationPort}",
        ]);
}
