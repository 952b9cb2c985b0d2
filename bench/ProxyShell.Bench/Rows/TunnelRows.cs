using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rows of one service that is published through a tunnel, beside OpenSSH's <c>-R</c> to the same kind of server.</summary>
internal static class TunnelRows
{
    private const string ReversePeerId = "openssh";

    /// <summary>Small requests, as fast as the answers come.</summary>
    internal static RateRow Requests(string id, string title, int clients, IReadOnlyList<Goal> goals) => new()
    {
        Id = id,
        Title = $"{title} ({WebServer.SmallSize} bytes)",
        Origin = OriginSpecification.Web(),
        Load = station => new HttpLoad(LoadTarget.Of(station), clients, [TunnelFiles.HostOf(0)]),
        Metrics =
        [
            Metric.RequestRate, Metric.ProcessorPerOperation, Metric.TypicalLatency, Metric.HighLatency,
            Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
        ],
        Read = (window, run) => ExchangeRows.Read(Metric.RequestRate, window, run),
        Goals = goals,
        Peers = context => Peers(context, TunnelKind.Http),
    };

    /// <summary>A large file, again and again over one connection.</summary>
    internal static RateRow Download(string id, IReadOnlyList<Goal> goals) => Bulk(
        id, "One bulk download through an HTTP tunnel (64 MiB each)", OriginSpecification.Web(),
        station => new DownloadLoad(LoadTarget.Of(station), 1, TunnelFiles.HostOf(0)), TunnelKind.Http, goals);

    /// <summary>One stream from a source that never ends.</summary>
    internal static RateRow Stream(string id, SourceMode source, IReadOnlyList<Goal> goals) => Bulk(
        id, "One bulk stream through a TCP tunnel", OriginSpecification.Source(source),
        station => new BulkSinkLoad(LoadTarget.Of(station), 1), TunnelKind.Tcp, goals);

    internal static Goal AgainstOpenSsh(Metric metric, double atLeast) => new(metric, ReversePeerId, Bound.AtLeast, atLeast);

    /// <summary>The tunnels of the run, encrypted as OpenSSH's and without TLS, the other program, and the way without any.</summary>
    internal static IEnumerable<IRelayPeer> Peers(BenchContext context, TunnelKind kind)
    {
        List<IRelayPeer> peers = [];
        if (context.Host is { } host)
            peers.AddRange([new TunnelPeer(host, kind, encrypted: true), new TunnelPeer(host, kind, encrypted: false)]);
        if (context.Peers.Any(peer => peer is OpenSshPeer))
            peers.Add(new OpenSshPeer(reverse: true));
        return peers.Concat(context.Peers.Where(peer => peer is DirectPeer));
    }

    private static RateRow Bulk(
        string id, string title, OriginSpecification origin, Func<Station, ILoad> load, TunnelKind kind, IReadOnlyList<Goal> goals) => new()
        {
            Id = id,
            Title = title,
            Origin = origin,
            Load = load,
            Metrics = BulkRows.Metrics,
            Read = (window, _) => BulkRows.Read(window),
            Goals = goals,
            Peers = context => Peers(context, kind),
        };
}
