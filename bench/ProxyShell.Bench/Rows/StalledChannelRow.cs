using System.Diagnostics;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>What bulk streams keep of their rate while the reader of another one has stalled.</summary>
/// <remarks>
/// The same streams run all the time; a stalled one comes and goes, so that short windows with it and without it stand side by side. Each window with
/// it is compared with the mean of the two around it, and the median of these quotients is the round's reading.
/// </remarks>
internal sealed class StalledChannelRow(SourceMode source) : IRow
{
    private const int Streams = 4;
    private const int MaxConnections = 64;
    private const int Windows = 8;
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(150);

    public string Id => "session-stalled";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult($"{Streams} bulk streams over a session, beside one whose reader has stalled", [Metric.KeptRate, Metric.Throughput])
        {
            Goals = [new Goal(Metric.KeptRate, null, Bound.AtLeast, 0.95)],
        };
        await SessionStations.MeasureAsync(context, result, Id, peer => Station.StartAsync(peer, OriginSpecification.Source(source), MaxConnections, context), MeasureAsync);
        return result;
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> MeasureAsync(Station station, BenchContext context)
    {
        using var load = new BulkSinkLoad(LoadTarget.Of(station), Streams);
        load.Start();
        await Task.Delay(context.Times.WarmUp, context.Cancelled);
        List<double> kept = [], rates = [];
        double free = await RateAsync(load, context);
        for (int window = 0; window < Windows; window++)
        {
            double stalled = await StalledRateAsync(station, load, context);
            double next = await RateAsync(load, context);
            kept.Add(2 * stalled / (free + next));
            rates.Add(stalled);
            free = next;
        }

        return new Dictionary<Metric, double>
        {
            [Metric.KeptRate] = Spread.Of(kept)!.Value.Median,
            [Metric.Throughput] = Spread.Of(rates)!.Value.Median * 8 / 1e9,
        };
    }

    private static async Task<double> StalledRateAsync(Station station, BulkSinkLoad load, BenchContext context)
    {
        int stalled = LoopbackSocket.Connect(station.Port);
        try
        {
            return await RateAsync(load, context);
        }
        finally
        {
            Libc.Close(stalled);
        }
    }

    // buffers fill or empty for a moment after each change
    private static async Task<double> RateAsync(BulkSinkLoad load, BenchContext context)
    {
        await Task.Delay(Settling, context.Cancelled);
        TimeSpan window = context.Times.Measured / Windows;
        long before = load.Completed, started = Stopwatch.GetTimestamp();
        await Task.Delay(window, context.Cancelled);
        return (load.Completed - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
