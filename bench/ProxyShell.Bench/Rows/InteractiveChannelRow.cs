using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>How long small requests take over a session that also carries a bulk stream, compared with the session of their own.</summary>
/// <remarks>
/// One client, one request at a time. Both ports lead through the same session. Without any relay the row shows what the machine's own scheduling
/// adds when a bulk stream keeps the processors busy.
/// </remarks>
internal sealed class InteractiveChannelRow(SourceMode source) : IRow
{
    private const int RequestSize = 100;
    private const int ReplySize = 200;
    private const int MaxConnections = 64;
    private const double High = 0.99;
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(300);

    public string Id => "session-interactive";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        Metric[] metrics = [Metric.LatencyGrowth, Metric.AloneLatency, Metric.BesideLatency, Metric.Throughput];
        var result = new RowResult($"Small requests beside a bulk stream of the same session ({RequestSize} bytes there, {ReplySize} back)", metrics)
        {
            Goals = [new Goal(Metric.LatencyGrowth, null, Bound.AtMost, 5), new Goal(Metric.BesideLatency, "openssh", Bound.AtMost, 1)],
        };
        using ServerProcess bulk = await OriginSpecification.Source(source).StartAsync(context);
        await SessionStations.MeasureAsync(context, result, Id,
            peer => Station.StartAsync(peer, OriginSpecification.Reply(RequestSize, ReplySize), MaxConnections, context, bulk.Port), MeasureAsync);
        return result;
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> MeasureAsync(Station station, BenchContext context)
    {
        using var requests = new RequestLoad(LoadTarget.Of(station, RequestSize, ReplySize), connections: 1);
        requests.Start();
        await Task.Delay(context.Times.WarmUp, context.Cancelled);
        double alone = await LatencyAsync(requests, context);

        using var bulk = new BulkSinkLoad(new LoadTarget(station.SecondPort, 0, 0), 1);
        bulk.Start();
        await Task.Delay(Settling, context.Cancelled);
        long before = bulk.Completed;
        double beside = await LatencyAsync(requests, context);
        return new Dictionary<Metric, double>
        {
            [Metric.LatencyGrowth] = beside / alone,
            [Metric.AloneLatency] = alone,
            [Metric.BesideLatency] = beside,
            [Metric.Throughput] = (bulk.Completed - before) * 8 / context.Times.Measured.TotalSeconds / 1e9,
        };
    }

    private static async Task<double> LatencyAsync(RequestLoad requests, BenchContext context)
    {
        requests.Latency!.Restart();
        await Task.Delay(context.Times.Measured, context.Cancelled);
        return requests.Latency.Percentile(High);
    }
}
