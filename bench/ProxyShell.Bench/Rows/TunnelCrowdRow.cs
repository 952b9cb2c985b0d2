using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Many clients at once over many tunnels of one gateway: whether all are served, and what it costs in memory.</summary>
/// <remarks>The same processes serve all rounds, so that memory which grows from round to round shows.</remarks>
internal sealed class TunnelCrowdRow : IRow
{
    private const int Tunnels = 100;
    private const int Clients = 1000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    public string Id => "tunnel-crowd";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult(
            $"{Clients} clients over {Tunnels} HTTP tunnels of one gateway, small requests",
            [
                Metric.RequestRate, Metric.TypicalLatency, Metric.HighLatency, Metric.Failures,
                TunnelMetrics.GatewayAtRest, TunnelMetrics.GatewayMemory, TunnelMetrics.AgentMemory,
            ])
        {
            Goals = [new Goal(Metric.Failures, null, Bound.AtMost, 0)],
        };
        if (context.Host is { } host)
            await MeasureAsync(new TunnelPeer(host, TunnelKind.Http, encrypted: true), host, context, result);
        if (context.Peers.FirstOrDefault(peer => peer is DirectPeer) is { } direct)
            await MeasureAsync(direct, null, context, result);
        return result;
    }

    private async Task MeasureAsync(IRelayPeer peer, ProxyShellHost? host, BenchContext context, RowResult result)
    {
        try
        {
            using TunnelSite site = await TunnelSite.StartAsync(context, host, Enumerable.Range(0, Tunnels));
            double atRest = host is null ? 0 : site.Gateway.Memory().Proportional;
            List<double> memory = [];
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                IReadOnlyDictionary<Metric, double> readings = await ReadAsync(site, host is null, atRest, context);
                result.Add(round, peer, readings);
                memory.Add(readings[TunnelMetrics.GatewayMemory]);
                BenchContext.Progress($"{Id} {round}/{context.Options.Rounds} {peer.Name}: {readings[Metric.RequestRate]:0} requests/s, {readings[Metric.Failures]} failures");
                await Task.Delay(Pause, context.Cancelled);
            }

            if (host is not null)
                result.Notes.Add(FormattableString.Invariant($"Gateway PSS MiB, round by round: {string.Join(", ", memory.Select(use => use.ToString("0.0", null)))}"));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, failure.Message);
        }
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> ReadAsync(TunnelSite site, bool direct, double atRest, BenchContext context)
    {
        using var load = new HttpLoad(new LoadTarget(site.Port, 0, 0), Clients, [.. Enumerable.Range(0, Tunnels).Select(TunnelFiles.HostOf)]);
        LoadWindow window = await LoadWindow.MeasureAsync(load, direct ? null : site.Gateway, site.Service.Tree, context.Times, context.Cancelled);
        return new Dictionary<Metric, double>
        {
            [Metric.RequestRate] = window.Completed / window.Seconds,
            [Metric.TypicalLatency] = load.Latency!.Percentile(0.5),
            [Metric.HighLatency] = load.Latency.Percentile(0.99),
            [Metric.Failures] = window.Failures,
            [TunnelMetrics.GatewayAtRest] = atRest / 1024,
            [TunnelMetrics.GatewayMemory] = window.RelayMemory.Proportional / 1024,
            [TunnelMetrics.AgentMemory] = site.AgentMemory / 1024,
        };
    }
}
