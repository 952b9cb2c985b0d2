using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>How long small requests take over a striped pipe that also carries a download, compared with the pipe of their own.</summary>
/// <remarks>One client, one request at a time. On capped stripes the queue of the link itself is in the figure: see what a connection of the link's own adds.</remarks>
internal sealed class StripeSmallRow(string id, SlowLink link) : IRow
{
    private static readonly Metric TypicalAlone = new("p50 µs alone", "#,0", InRatios: false);
    private static readonly Metric TypicalBeside = new("p50 µs beside bulk", "#,0", InRatios: false);
    private static readonly Metric TypicalGrowth = new("p50 beside ÷ alone", "0.00", InRatios: false);
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);

    private readonly record struct Window(double Typical, double High);

    public string Id => id;

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult(
            $"Small requests beside a download through the same striped pipe ({WebServer.SmallSize} bytes)",
            [TypicalGrowth, Metric.LatencyGrowth, TypicalAlone, TypicalBeside, Metric.AloneLatency, Metric.BesideLatency, Metric.Throughput, Metric.Failures]);
        IReadOnlyList<IRelayPeer> peers = context.Host is { } host ? Peers(host) : [];
        foreach (IRelayPeer peer in peers.Concat(context.Peers.Where(peer => peer is DirectPeer)))
            await MeasureAsync(peer, result, context);
        return result;
    }

    private IReadOnlyList<IRelayPeer> Peers(ProxyShellHost host) =>
    [
        new StripedPeer(host, link.Shapes.Count) { Name = $"ProxyShell, {link.Shapes.Count} stripes of {link.Shapes[0].BytesPerSecond / 1e6:0} MB/s, {link.Shapes[0].OneWayDelay.TotalMilliseconds} ms", Link = link },
        new StripedPeer(host, link.Shapes.Count) { Id = "proxyshell-uncapped", Name = $"ProxyShell, {link.Shapes.Count} stripes, no cap" },
        new RelayPairPeer(host),
    ];

    private async Task MeasureAsync(IRelayPeer peer, RowResult result, BenchContext context)
    {
        try
        {
            using Station station = await Station.StartAsync(peer, OriginSpecification.Web(), 64, context);
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                IReadOnlyDictionary<Metric, double> readings = await ReadAsync(LoadTarget.Of(station), context);
                result.Add(round, peer, readings);
                BenchContext.Progress($"{Id} {round}/{context.Options.Rounds} {peer.Name}: p50 {readings[TypicalAlone]:0} → {readings[TypicalBeside]:0} µs");
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, failure.Message);
        }
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> ReadAsync(LoadTarget target, BenchContext context)
    {
        using var small = new HttpLoad(target, 1, [TunnelFiles.HostOf(0)]);
        small.Start();
        await Task.Delay(Settling, context.Cancelled);
        Window alone = await ReadAsync(small, context);
        using var bulk = new DownloadLoad(target, 1, TunnelFiles.HostOf(0));
        bulk.Start();
        await Task.Delay(context.Times.WarmUp, context.Cancelled);
        long before = bulk.Completed;
        Window beside = await ReadAsync(small, context);
        return new Dictionary<Metric, double>
        {
            [TypicalAlone] = alone.Typical,
            [Metric.AloneLatency] = alone.High,
            [TypicalBeside] = beside.Typical,
            [Metric.BesideLatency] = beside.High,
            [TypicalGrowth] = beside.Typical / alone.Typical,
            [Metric.LatencyGrowth] = beside.High / alone.High,
            [Metric.Throughput] = (bulk.Completed - before) * 8 / context.Times.Measured.TotalSeconds / 1e9,
            [Metric.Failures] = small.Failures + bulk.Failures,
        };
    }

    private static async Task<Window> ReadAsync(HttpLoad small, BenchContext context)
    {
        small.Latency!.Restart();
        await Task.Delay(context.Times.Measured, context.Cancelled);
        return new Window(small.Latency.Percentile(0.5), small.Latency.Percentile(0.99));
    }
}
