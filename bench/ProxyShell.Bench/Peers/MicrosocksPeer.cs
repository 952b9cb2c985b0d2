namespace ProxyShell.Bench.Peers;

/// <summary>microsocks, which starts a thread per connection.</summary>
internal sealed class MicrosocksPeer : IRelayPeer
{
    public string Id => "microsocks";

    public string Name => "microsocks";

    public RelayService Service => RelayService.Socks5;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => InstalledProgram.FindLine("microsocks", "-h", "microsocks");

    // it prints a line for every connection and cannot be told not to; the bench shall not make it wait for a reader
    public ProcessCommand Prepare(RelayPlan plan) => new(
        "/bin/sh",
        ["-c", $"exec {InstalledProgram.Find("microsocks")} -i 127.0.0.1 -p {plan.Port} 2> /dev/null"]);
}
