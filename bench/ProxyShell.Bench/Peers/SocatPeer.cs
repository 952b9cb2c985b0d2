namespace ProxyShell.Bench.Peers;

/// <summary>socat, which forks a process per connection, or per client address with UDP.</summary>
internal sealed class SocatPeer(RelayService service) : IRelayPeer
{
    public string Id => "socat";

    public string Name => "socat";

    public RelayService Service => service;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 500;

    public string? FindVersion() => InstalledProgram.FindLine("socat", "-V", "socat version");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string[] arguments = service == RelayService.Udp
            ? ["-T", "30", $"UDP4-LISTEN:{plan.Port},bind=127.0.0.1,fork,reuseaddr", $"UDP4:127.0.0.1:{plan.DestinationPort}"]
            : [$"TCP-LISTEN:{plan.Port},bind=127.0.0.1,fork,reuseaddr,backlog=4096", $"TCP:127.0.0.1:{plan.DestinationPort}"];
        return new ProcessCommand(InstalledProgram.Find("socat")!, ["-b", "65536", .. arguments]);
    }
}
