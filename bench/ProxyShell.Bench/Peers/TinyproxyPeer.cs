namespace ProxyShell.Bench.Peers;

/// <summary>tinyproxy, which starts a thread per connection.</summary>
internal sealed class TinyproxyPeer : IRelayPeer
{
    public string Id => "tinyproxy";

    public string Name => "tinyproxy";

    public RelayService Service => RelayService.HttpConnect;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => InstalledProgram.FindLine("tinyproxy", "-v", "tinyproxy");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.conf");
        File.WriteAllText(file, Configuration(plan));
        return new ProcessCommand(InstalledProgram.Find("tinyproxy")!, ["-d", "-c", file]);
    }

    private static string Configuration(RelayPlan plan) => $"""
        Listen 127.0.0.1
        Port {plan.Port}
        MaxClients {plan.MaxConnections}
        Timeout 3600
        LogFile "/dev/null"
        LogLevel Critical
        DisableViaHeader Yes

        """;
}
