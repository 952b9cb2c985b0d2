using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>What a relay's processes keep in memory for each pair of connections that says nothing any more.</summary>
internal sealed class IdleRow : IRow
{
    private const int MessageSize = 100;
    private const int WarmUpPairs = 64;
    private const int SpareDescriptors = 1_000;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    public string Id => "idle";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        int pairs = Math.Min(context.Options.IdlePairs, (context.OpenFileLimit - SpareDescriptors) / 2);
        var result = new RowResult(FormattableString.Invariant($"Idle memory per relayed pair at {pairs:#,0} pairs"), AllMetrics)
        {
            Goals =
            [
                new Goal(Metric.MemoryPerPair, null, Bound.AtMost, 4),
                new Goal(Metric.MemoryPerPair, "haproxy", Bound.AtMost, 1),
            ],
        };
        if (pairs < context.Options.IdlePairs)
        {
            result.Notes.Add(
                $"The limit of {context.OpenFileLimit} open files per process allows {pairs} pairs, not {context.Options.IdlePairs}.");
        }

        IRelayPeer[] peers = [.. context.PeersFor(RelayService.Tcp).Where(peer => !peer.BulkOnly && peer.MaxIdlePairs > 0)];
        for (int round = 1; round <= context.Options.Rounds; round++)
        {
            foreach (IRelayPeer peer in peers)
                await MeasureAsync(peer, Math.Min(pairs, peer.MaxIdlePairs), round, result, context);
        }

        return result;
    }

    private static readonly Metric[] AllMetrics =
    [
        Metric.MemoryPerPair, Metric.PrivatePerPair, Metric.ResidentPerPair, Metric.MemoryBefore, Metric.MemoryAfter,
        Metric.DescriptorsPerPair, Metric.Pairs,
    ];

    private async Task MeasureAsync(IRelayPeer peer, int pairs, int round, RowResult result, BenchContext context)
    {
        try
        {
            // a fresh process each round: memory, unlike speed, depends on what a process did before
            using Station station = await Station.StartAsync(
                peer, OriginSpecification.Reply(MessageSize, MessageSize), pairs + WarmUpPairs + 8, context);
            IReadOnlyDictionary<Metric, double> readings = await ReadAsync(station, pairs, context);
            result.Add(round, peer, readings);
            BenchContext.Progress(
                $"{Id} {round}/{context.Options.Rounds} {peer.Name}: {Metric.MemoryPerPair.Name} {readings[Metric.MemoryPerPair]:0.00}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, $"failed in round {round}: {failure.Message}");
        }
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> ReadAsync(Station station, int pairs, BenchContext context)
    {
        var target = new LoadTarget(station.Port, MessageSize, MessageSize);
        ProcessTree relay = station.Relay!.Tree;
        using (var warmUp = new IdlePairs())
            warmUp.Open(target, WarmUpPairs);
        await Task.Delay(Settling, context.Cancelled);
        MemoryUse before = relay.Memory();
        int descriptorsBefore = relay.OpenDescriptors();

        using var idle = new IdlePairs();
        await Task.Run(() => idle.Open(target, pairs), context.Cancelled);
        await Task.Delay(Settling, context.Cancelled);
        MemoryUse after = relay.Memory();
        MemoryUse growth = after - before;
        return new Dictionary<Metric, double>
        {
            [Metric.MemoryPerPair] = growth.Proportional / pairs,
            [Metric.PrivatePerPair] = growth.Private / pairs,
            [Metric.ResidentPerPair] = growth.Resident / pairs,
            [Metric.MemoryBefore] = before.Proportional / 1024,
            [Metric.MemoryAfter] = after.Proportional / 1024,
            [Metric.DescriptorsPerPair] = (double)(relay.OpenDescriptors() - descriptorsBefore) / pairs,
            [Metric.Pairs] = pairs,
        };
    }
}
