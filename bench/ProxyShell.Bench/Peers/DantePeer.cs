namespace ProxyShell.Bench.Peers;

/// <summary>dante's server with a main server per processor; the children that negotiate, connect and relay are its own choice.</summary>
internal sealed class DantePeer : IRelayPeer
{
    public string Id => "dante";

    public string Name => "dante";

    public RelayService Service => RelayService.Socks5;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => InstalledProgram.FindLine("danted", "-v", "dante");

    public ProcessCommand Prepare(RelayPlan plan)
    {
        string file = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.conf");
        File.WriteAllText(file, Configuration(plan));
        string processFile = Path.Combine(plan.Directory, $"{Id}-{plan.Port}.pid");
        string[] arguments = ["-f", file, "-p", processFile, "-N", $"{plan.Processors}"];
        return new ProcessCommand(InstalledProgram.Find("danted")!, arguments)
        {
            Environment = new Dictionary<string, string> { ["TMPDIR"] = plan.Directory }, // for the memory that its processes share
        };
    }

    private static string Configuration(RelayPlan plan) => $$"""
        errorlog: stderr
        logoutput: /dev/null
        internal: 127.0.0.1 port = {{plan.Port}}
        external: 127.0.0.1
        clientmethod: none
        socksmethod: none
        user.privileged: {{Environment.UserName}}
        user.unprivileged: {{Environment.UserName}}
        client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
        socks pass { from: 127.0.0.0/8 to: 127.0.0.0/8 command: connect }

        """;
}
