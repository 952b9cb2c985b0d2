using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rows of small requests and replies, over connections that are new or kept.</summary>
internal static class ExchangeRows
{
    private const int RequestSize = 100;
    private const int ReplySize = 200;

    internal static RateRow Create(
        string id, string title, RelayService service, Metric rate, Func<LoadTarget, ILoad> load, IReadOnlyList<Goal> goals) => new()
        {
            Id = id,
            Title = $"{title} ({RequestSize} bytes there, {ReplySize} back)",
            Origin = OriginSpecification.Reply(RequestSize, ReplySize),
            Load = station => load(LoadTarget.Of(station, RequestSize, ReplySize)),
            Metrics =
            [
                rate, Metric.ProcessorPerOperation, Metric.TypicalLatency, Metric.HighLatency,
                Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
            ],
            Read = (window, run) => Read(rate, window, run),
            Goals = goals,
            Peers = context => context.PeersFor(service).Where(peer => !peer.BulkOnly),
        };

    internal static Dictionary<Metric, double> Read(Metric rate, LoadWindow window, ILoad run) => new(Readings.Common(window))
    {
        [rate] = window.Completed / window.Seconds,
        [Metric.ProcessorPerOperation] = window.Processor.Relay / window.Completed * 1e6,
        [Metric.TypicalLatency] = run.Latency!.Percentile(0.5),
        [Metric.HighLatency] = run.Latency.Percentile(0.99),
    };
}
