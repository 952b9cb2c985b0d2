using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rows that pull from a source as fast as it goes.</summary>
internal static class BulkRows
{
    private const string PlainRelayId = "proxyshell-relay";
    private const string OthersId = "others";
    private const double AboutTheSame = 0.9;

    // two rates of one link differ by what a window of measurement cuts off
    private const double SameRate = 0.99;

    internal static readonly IReadOnlyList<Metric> Metrics =
    [
        Metric.Throughput, Metric.ProcessorPerGigabyte, Metric.MachinePerGigabyte,
        Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
    ];

    internal static RateRow Relays(string id, string title, int streams, SourceMode source, IReadOnlyList<Goal> goals) => Create(
        id, title, streams, source, context => context.PeersFor(RelayService.Tcp), goals);

    /// <summary>Streams through two ends with one connection between them.</summary>
    internal static RateRow Sessions(string id, string title, int streams, SourceMode source, IReadOnlyList<Goal> goals) => Create(
        id, title, streams, source, context => context.PeersFor(RelayService.Session), goals);

    /// <summary>One stream through two ends that are far from each other.</summary>
    internal static RateRow Link(string id, string title, SlowLink link, SourceMode source, IReadOnlyList<Goal> goals) => Create(
        id, title, 1, source, context => context.PeersFor(RelayService.Session), goals, link);

    /// <summary>One stream over as many stripes as the link has connections, beside one connection of it: the link's first.</summary>
    internal static RateRow Stripes(string id, string title, SlowLink link, double share, SourceMode source) => Create(
        id, title, 1, source, context => context.Host is null ? [] : [new StripedPeer(context.Host, link.Shapes.Count), new RelayPairPeer(context.Host), .. Direct(context)],
        [new Goal(Metric.ShareOfLink, null, Bound.AtLeast, share)], link);

    /// <summary>One stream over stripes of which one has a longer way, beside one over the others alone.</summary>
    internal static RateRow DelayedStripe(string id, string title, SlowLink link, SlowLink others, SourceMode source) => Create(
        id, title, 1, source,
        context => context.Host is null
            ? []
            : [new StripedPeer(context.Host, link.Shapes.Count) { Link = link }, new StripedPeer(context.Host, others.Shapes.Count) { Id = OthersId, Name = "the others alone", Link = others }],
        [new Goal(Metric.Throughput, OthersId, Bound.AtLeast, SameRate)]);

    /// <summary>One stream over stripes as fast as it goes, beside the plain relay, and two of them in a row.</summary>
    internal static RateRow UncappedStripes(string id, int stripes, SourceMode source) => Create(
        id, $"One bulk stream over {stripes} stripes without a cap", 1, source,
        context => context.Host is null
            ? []
            : [new StripedPeer(context.Host, stripes), .. PlainRelay(context), new RelayPairPeer(context.Host), .. Direct(context)],
        [new Goal(Metric.Throughput, PlainRelayId, Bound.AtLeast, 0.6)]);

    /// <summary>One stream through a chain of this program alone: nobody else has such.</summary>
    internal static RateRow Chain(string id, int hops, SourceMode source) => Create(
        id, $"One bulk stream through a chain of {hops} relay hops, listener and hops in one process", 1, source,
        context => context.Host is null ? [] : [new ChainPeer(context.Host, hops)], []);

    /// <summary>One stream through a proxy's CONNECT, beside the plain relay of this program.</summary>
    internal static RateRow Proxies(string id, string title, RelayService service, SourceMode source) => Create(
        id, title, 1, source, context => context.PeersFor(service).Concat(PlainRelay(context)),
        [new Goal(Metric.Throughput, PlainRelayId, Bound.AtLeast, AboutTheSame)]);

    private static RateRow Create(
        string id, string title, int streams, SourceMode source, Func<BenchContext, IEnumerable<IRelayPeer>> peers, IReadOnlyList<Goal> goals,
        SlowLink? link = null) => new()
        {
            Id = id,
            Title = $"{title} ({Describe(source)})",
            Origin = OriginSpecification.Source(source),
            Load = station => new BulkSinkLoad(LoadTarget.Of(station), station.Peer is DirectPeer && link is not null ? link.Shapes.Count : streams),
            Metrics = link is null ? Metrics : [Metric.ShareOfLink, .. Metrics],
            Read = (window, _) => link is null ? Read(window) : new(Read(window)) { [Metric.ShareOfLink] = window.Completed / window.Seconds / link.BytesPerSecond },
            Goals = goals,
            Link = link,
            Peers = peers,
            CountSystemCalls = true,
        };

    private static IEnumerable<IRelayPeer> Direct(BenchContext context) => context.Peers.Where(peer => peer is DirectPeer);

    private static IEnumerable<IRelayPeer> PlainRelay(BenchContext context) => context.Host is null
        ? []
        : [new ProxyShellPeer(context.Host, RelayService.Tcp, RelayPath.Automatic) { Id = PlainRelayId, Name = "ProxyShell, plain relay" }];

    internal static Dictionary<Metric, double> Read(LoadWindow window) => new(Readings.Common(window))
    {
        [Metric.Throughput] = window.Completed * 8 / window.Seconds / 1e9,
        [Metric.ProcessorPerGigabyte] = window.Processor.Relay / (window.Completed / 1e9),
        [Metric.MachinePerGigabyte] = window.Processor.Machine / (window.Completed / 1e9),
    };

    private static string Describe(SourceMode source) =>
        source switch
        {
            SourceMode.Splice => "the sender splices its pages",
            SourceMode.SpliceUnpaced => "the sender splices its pages, unpaced",
            _ => "the sender copies",
        };
}
