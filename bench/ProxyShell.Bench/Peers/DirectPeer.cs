namespace ProxyShell.Bench.Peers;

/// <summary>No relay at all: what load and origin reach by themselves, the ceiling of each row.</summary>
internal sealed class DirectPeer : IRelayPeer
{
    public string Id => "direct";

    public string Name => "no relay (ceiling)";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => "no relay";

    public ProcessCommand? Prepare(RelayPlan plan) => null;
}
