using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>All rows in the order in which they run.</summary>
internal static class RowCatalogue
{
    internal static readonly IReadOnlyList<string> Ids = ["bulk", "streams", "connect", "requests", "idle", "chain", "chain-bulk"];

    private const int ManyStreams = 64;
    private const int Clients = 64;
    private const int RequestSize = 100;
    private const int ReplySize = 200;
    private const int BulkChainHops = 3;

    private static readonly Metric[] BulkMetrics =
    [
        Metric.Throughput, Metric.ProcessorPerGigabyte, Metric.MachinePerGigabyte,
        Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
    ];

    internal static IEnumerable<IRow> Create(BenchOptions options) =>
        Ids.Where(options.Rows.Contains).Select(id => Create(id, options.Source));

    private static IRow Create(string id, SourceMode source) => id switch
    {
        "bulk" => Bulk(id, $"One bulk stream ({Describe(source)})", 1, source, [
            new Goal(Metric.Throughput, "nginx", Bound.AtLeast, 1.4),
            new Goal(Metric.ProcessorPerGigabyte, "nginx", Bound.AtMost, 0.4),
        ]),
        "streams" => Bulk(id, $"{ManyStreams} bulk streams ({Describe(source)})", ManyStreams, source,
            [new Goal(Metric.Throughput, "nginx", Bound.AtLeast, 1.2)]),
        "connect" => Small(id, $"New connections, {Clients} at a time, one small request each", Metric.ConnectionRate,
            target => new ConnectLoad(target, Clients)),
        "requests" => Small(id, $"Small requests over {Clients} kept connections", Metric.RequestRate,
            target => new RequestLoad(target, Clients)),
        "idle" => new IdleRow(),
        "chain" => new ChainSetUpRow(),
        "chain-bulk" => ChainBulk(id, source),
        _ => throw new ArgumentOutOfRangeException(nameof(id), id, "no such row"),
    };

    private static RateRow Bulk(string id, string title, int streams, SourceMode source, IReadOnlyList<Goal> goals) => new()
    {
        Id = id,
        Title = title,
        Origin = OriginSpecification.Source(source),
        Load = port => new BulkSinkLoad(port, streams),
        Metrics = BulkMetrics,
        Read = ReadBulk,
        Goals = goals,
        Peers = context => context.Peers,
        CountSystemCalls = true,
    };

    private static RateRow ChainBulk(string id, SourceMode source) => new()
    {
        Id = id,
        Title = $"One bulk stream through a chain of {BulkChainHops} relay hops, listener and hops in one process",
        Origin = OriginSpecification.Source(source),
        Load = port => new BulkSinkLoad(port, 1),
        Metrics = BulkMetrics,
        Read = ReadBulk,
        Peers = context => context.Host is null ? [] : [new ChainPeer(context.Host, BulkChainHops)],
    };

    private static RateRow Small(string id, string title, Metric rate, Func<LoadTarget, ILoad> load) => new()
    {
        Id = id,
        Title = $"{title} ({RequestSize} bytes there, {ReplySize} back)",
        Origin = OriginSpecification.Reply(RequestSize, ReplySize),
        Load = port => load(new LoadTarget(port, RequestSize, ReplySize)),
        Metrics =
        [
            rate, Metric.ProcessorPerOperation, Metric.TypicalLatency, Metric.HighLatency,
            Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
        ],
        Read = (window, run) => ReadSmall(rate, window, run),
        Goals = [new Goal(rate, "haproxy", Bound.AtLeast, 1.0)],
        Peers = context => context.Peers.Where(peer => !peer.BulkOnly),
    };

    private static Dictionary<Metric, double> ReadBulk(LoadWindow window, ILoad run) => new(ReadCommon(window))
    {
        [Metric.Throughput] = window.Completed * 8 / window.Seconds / 1e9,
        [Metric.ProcessorPerGigabyte] = window.Processor.Relay / (window.Completed / 1e9),
        [Metric.MachinePerGigabyte] = window.Processor.Machine / (window.Completed / 1e9),
    };

    private static Dictionary<Metric, double> ReadSmall(Metric rate, LoadWindow window, ILoad run) => new(ReadCommon(window))
    {
        [rate] = window.Completed / window.Seconds,
        [Metric.ProcessorPerOperation] = window.Processor.Relay / window.Completed * 1e6,
        [Metric.TypicalLatency] = run.Latency!.Percentile(0.5),
        [Metric.HighLatency] = run.Latency.Percentile(0.99),
    };

    private static Dictionary<Metric, double> ReadCommon(LoadWindow window) => new()
    {
        [Metric.RelayCores] = window.Processor.Relay / window.Seconds,
        [Metric.LoadCores] = window.Processor.Load / window.Seconds,
        [Metric.OtherCores] = window.Processor.Others / window.Seconds,
        [Metric.Memory] = window.RelayMemory.Proportional / 1024,
        [Metric.Failures] = window.Failures,
    };

    private static string Describe(SourceMode source) =>
        source == SourceMode.Splice ? "the sender splices its pages" : "the sender copies";
}
