using System.Diagnostics;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>What the clients of some tunnels keep of their rate while another tunnel of the same gateway is flooded.</summary>
/// <remarks>
/// The clients of the others send at a fixed pace, far below what the gateway can do, all the time; the floods come and go. Each window beside a flood
/// is compared with the mean of the two around it. The flooded tunnel has an agent process of its own, the others share one.
/// </remarks>
internal sealed class TunnelFloodRow : IRow
{
    private const int Others = 9;
    private const int Clients = 45;
    private const int FloodClients = 256;
    private const int FloodDownloads = 16;
    private const int Flooded = 0;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(300);

    private sealed record Flood(Metric Kept, Metric Latency, Func<LoadTarget, IDisposable> Start);

    private readonly record struct Window(double Rate, double Latency);

    private static readonly Flood[] Floods =
    [
        new(TunnelMetrics.KeptBesideRequests, TunnelMetrics.LatencyBesideRequests, target => Started(new HttpLoad(target, FloodClients, [FloodedHost]))),
        new(TunnelMetrics.KeptBesideDownloads, TunnelMetrics.LatencyBesideDownloads, target => Started(new DownloadLoad(target, FloodDownloads, FloodedHost))),
        new(TunnelMetrics.KeptBesideStalled, TunnelMetrics.LatencyBesideStalled, Stalled),
    ];

    public string Id => "tunnel-flood";

    private static string FloodedHost => TunnelFiles.HostOf(Flooded);

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult(
            $"{Clients} clients of {Others} tunnels, a request each {Pace.TotalMilliseconds} ms, beside another tunnel that is flooded",
            [
                .. Floods.Select(flood => flood.Kept), Metric.RequestRate, Metric.HighLatency,
                .. Floods.Select(flood => flood.Latency), TunnelMetrics.FloodRequests, TunnelMetrics.FloodThroughput, Metric.Failures,
            ])
        {
            Goals = [.. Floods.Select(flood => new Goal(flood.Kept, null, Bound.AtLeast, 0.95))],
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
            using TunnelSite site = await TunnelSite.StartAsync(context, host, [Flooded], Enumerable.Range(1, Others));
            for (int round = 1; round <= context.Options.Rounds; round++)
            {
                IReadOnlyDictionary<Metric, double> readings = await ReadAsync(new LoadTarget(site.Port, 0, 0), context);
                result.Add(round, peer, readings);
                BenchContext.Progress(
                    $"{Id} {round}/{context.Options.Rounds} {peer.Name}: {string.Join(", ", Floods.Select(flood => $"{flood.Kept.Name} {readings[flood.Kept]:0.000}"))}");
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, failure.Message);
        }
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> ReadAsync(LoadTarget target, BenchContext context)
    {
        using var paced = new HttpLoad(target, Clients, [.. Enumerable.Range(1, Others).Select(TunnelFiles.HostOf)], Pace);
        paced.Start();
        await Task.Delay(context.Times.WarmUp, context.Cancelled);
        Window free = await ReadAsync(paced, context);
        var readings = new Dictionary<Metric, double> { [Metric.RequestRate] = free.Rate, [Metric.HighLatency] = free.Latency };
        foreach (Flood flood in Floods)
        {
            Window beside = await BesideAsync(flood, target, paced, readings, context);
            Window next = await ReadAsync(paced, context);
            readings[flood.Kept] = 2 * beside.Rate / (free.Rate + next.Rate);
            readings[flood.Latency] = beside.Latency;
            free = next;
        }

        if (paced.Fault is { } fault)
            throw new IOException($"the load ended early: {fault.Message}", fault);
        readings[Metric.Failures] = paced.Failures;
        return readings;
    }

    private static async Task<Window> BesideAsync(
        Flood flood, LoadTarget target, HttpLoad paced, Dictionary<Metric, double> readings, BenchContext context)
    {
        using IDisposable running = flood.Start(target);
        var load = running as ILoad;
        long before = load?.Completed ?? 0, started = Stopwatch.GetTimestamp();
        Window window = await ReadAsync(paced, context);
        double rate = ((load?.Completed ?? 0) - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (load is HttpLoad)
            readings[TunnelMetrics.FloodRequests] = rate;
        else if (load is not null)
            readings[TunnelMetrics.FloodThroughput] = rate * 8 / 1e9;
        return window;
    }

    // what changed shall be in effect before the window begins
    private static async Task<Window> ReadAsync(HttpLoad paced, BenchContext context)
    {
        await Task.Delay(Settling, context.Cancelled);
        paced.Latency!.Restart();
        long before = paced.Completed, started = Stopwatch.GetTimestamp();
        await Task.Delay(context.Times.Measured / 2, context.Cancelled);
        double rate = (paced.Completed - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new Window(rate, paced.Latency.Percentile(0.99));
    }

    private static ILoad Started(ILoad load)
    {
        load.Start();
        return load;
    }

    private static StalledReaders Stalled(LoadTarget target)
    {
        var readers = new StalledReaders(target, FloodClients, FloodedHost);
        readers.Start();
        return readers;
    }
}
