using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>All rows in the order in which they run.</summary>
internal static class RowCatalogue
{
    internal static readonly IReadOnlyList<string> Ids =
    [
        "bulk", "streams", "connect", "requests", "idle", "chain", "chain-bulk",
        "socks", "http-connect", "socks-bulk", "connect-bulk", "udp", "udp-large",
        "session-bulk", "session-streams", "session-connect", "session-link", "session-open", "session-stalled", "session-interactive", "session-idle",
        "tunnel-requests", "tunnel-latency", "tunnel-bulk", "tunnel-stream", "tunnel-crowd", "tunnel-flood",
        "stripe-caps", "stripe-unequal", "stripe-delay", "stripe-loss", "stripe-small", "stripe-uncapped",
    ];

    private const int ManyStreams = 64;
    private const int Clients = 64;
    private const int BulkChainHops = 3;
    private const int SmallDatagram = 100;
    private const int LargeDatagram = 1400;
    private const double ProxyAdvantage = 1.5;
    private const double TunnelAdvantage = 1.5;
    private const int ManyChannels = 16;
    private const int ChannelsAtOnce = 500;

    private static readonly SlowLink LongLink = new(TimeSpan.FromMilliseconds(25), 200e6);

    private static readonly TimeSpan StripeDelay = TimeSpan.FromMilliseconds(10);
    private static readonly SlowLink EqualCaps = Capped(40, 40, 40, 40);
    private static readonly SlowLink WithLongWay = new([.. Capped(40, 40, 40).Shapes, new LinkShape(StripeDelay + TimeSpan.FromMilliseconds(300), 40e6)]);

    internal static IEnumerable<IRow> Create(BenchOptions options) =>
        Ids.Where(options.Rows.Contains).Select(id => Create(id, options.Source));

    private static IRow Create(string id, SourceMode source) => id switch
    {
        "bulk" => BulkRows.Relays(id, "One bulk stream", 1, source,
        [
            new Goal(Metric.Throughput, "nginx", Bound.AtLeast, 1.4),
            new Goal(Metric.ProcessorPerGigabyte, "nginx", Bound.AtMost, 0.4),
        ]),
        "streams" => BulkRows.Relays(id, $"{ManyStreams} bulk streams", ManyStreams, source,
            [new Goal(Metric.Throughput, "nginx", Bound.AtLeast, 1.2)]),
        "connect" => Connect(id, "New connections", RelayService.Tcp, [new Goal(Metric.ConnectionRate, "haproxy", Bound.AtLeast, 1.0)]),
        "requests" => ExchangeRows.Create(id, $"Small requests over {Clients} kept connections", RelayService.Tcp, Metric.RequestRate,
            target => new RequestLoad(target, Clients), [new Goal(Metric.RequestRate, "haproxy", Bound.AtLeast, 1.0)]),
        "idle" => new IdleRow(),
        "chain" => new ChainSetUpRow(),
        "chain-bulk" => BulkRows.Chain(id, BulkChainHops, source),
        "socks" => Connect(id, "New connections through SOCKS5 CONNECT", RelayService.Socks5,
        [
            new Goal(Metric.ConnectionRate, "microsocks", Bound.AtLeast, ProxyAdvantage),
            new Goal(Metric.ConnectionRate, "dante", Bound.AtLeast, ProxyAdvantage),
        ]),
        "http-connect" => Connect(id, "New connections through HTTP CONNECT", RelayService.HttpConnect,
            [new Goal(Metric.ConnectionRate, "tinyproxy", Bound.AtLeast, ProxyAdvantage)]),
        "socks-bulk" => BulkRows.Proxies(id, "One bulk stream through SOCKS5 CONNECT", RelayService.Socks5, source),
        "connect-bulk" => BulkRows.Proxies(id, "One bulk stream through HTTP CONNECT", RelayService.HttpConnect, source),
        "udp" => DatagramRows.Create(id, SmallDatagram, window: 8),
        "udp-large" => DatagramRows.Create(id, LargeDatagram, window: 3),
        "session-bulk" => BulkRows.Sessions(id, "One bulk stream over a session", 1, Free(source), [new Goal(Metric.Throughput, "openssh", Bound.AtLeast, 3)]),
        "session-streams" => BulkRows.Sessions(id, $"{ManyChannels} bulk streams over a session", ManyChannels, source,
            [new Goal(Metric.Throughput, "openssh", Bound.AtLeast, 3)]),
        "session-connect" => ExchangeRows.Create(id, $"New connections over a session, {ChannelsAtOnce} at a time, one small request each", RelayService.Session,
            Metric.ConnectionRate, target => new ConnectLoad(target, ChannelsAtOnce), [new Goal(Metric.ConnectionRate, "openssh", Bound.AtLeast, 1)]),
        "session-link" => BulkRows.Link(id, "One bulk stream over a session, its link 50 ms there and back and 200 MB/s", LongLink, source,
            [new Goal(Metric.ShareOfLink, null, Bound.AtLeast, 0.8)]),
        "session-open" => new ChannelOpenRow(ChannelsAtOnce),
        "session-stalled" => new StalledChannelRow(source),
        "session-interactive" => new InteractiveChannelRow(source),
        "session-idle" => new IdleChannelRow(),
        "tunnel-requests" => TunnelRows.Requests(id, $"Small requests of {Clients} clients through an HTTP tunnel", Clients, [TunnelRows.AgainstOpenSsh(Metric.RequestRate, 1.3)]),
        "tunnel-latency" => TunnelRows.Requests(id, "Small requests of one client through an HTTP tunnel", 1, []),
        "tunnel-bulk" => TunnelRows.Download(id, [TunnelRows.AgainstOpenSsh(Metric.Throughput, TunnelAdvantage)]),
        "tunnel-stream" => TunnelRows.Stream(id, Free(source), [TunnelRows.AgainstOpenSsh(Metric.Throughput, TunnelAdvantage)]),
        "tunnel-crowd" => new TunnelCrowdRow(),
        "tunnel-flood" => new TunnelFloodRow(),
        "stripe-caps" => BulkRows.Stripes(id, "One bulk stream over 4 stripes of 40 MB/s each, 10 ms each way", EqualCaps, 0.95, source),
        "stripe-unequal" => BulkRows.Stripes(id, "One bulk stream over stripes of 80, 40, 20 and 10 MB/s, 10 ms each way", Capped(80, 40, 20, 10), 0.9, source),
        "stripe-delay" => BulkRows.DelayedStripe(id, "One bulk stream over 4 stripes of 40 MB/s, one with 300 ms more each way", WithLongWay, Capped(40, 40, 40), source),
        "stripe-loss" => new StripeLossRow(id, EqualCaps),
        "stripe-small" => new StripeSmallRow(id, EqualCaps),
        "stripe-uncapped" => BulkRows.UncappedStripes(id, EqualCaps.Shapes.Count, source),
        _ => throw new ArgumentOutOfRangeException(nameof(id), id, "no such row"),
    };

    // one paced sender, and not the two processes between, would be what is measured
    private static SourceMode Free(SourceMode source) => source == SourceMode.Splice ? SourceMode.SpliceUnpaced : source;

    private static SlowLink Capped(params double[] megabytesPerSecond) => new([.. megabytesPerSecond.Select(rate => new LinkShape(StripeDelay, rate * 1e6))]);

    private static RateRow Connect(string id, string what, RelayService service, IReadOnlyList<Goal> goals) => ExchangeRows.Create(
        id, $"{what}, {Clients} at a time, one small request each", service, Metric.ConnectionRate,
        target => new ConnectLoad(target, Clients), goals);
}
