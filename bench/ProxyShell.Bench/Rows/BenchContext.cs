using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>What all rows share in one run.</summary>
internal sealed record BenchContext(
    BenchOptions Options,
    IReadOnlyList<IRelayPeer> Peers,
    ProxyShellHost? Host,
    string Directory,
    int OpenFileLimit,
    CancellationToken Cancelled)
{
    /// <summary>The processors of the relays when they do not share those of the load.</summary>
    internal ProcessorSet? RelayProcessors { get; init; }

    internal WindowTimes Times { get; } = new(Options.WarmUp, Options.Duration);

    /// <summary>The relays of the run that offer the service, and the way without any.</summary>
    internal IEnumerable<IRelayPeer> PeersFor(RelayService service) =>
        Peers.Where(peer => peer.Service == service || peer is DirectPeer);

    internal static void Progress(string text) => Console.Error.WriteLine($"  {text}");
}
