using System.Diagnostics;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>What one stream keeps of its rate when one of its stripes is lost for good in the middle of it: reset, and in a second relay without a word.</summary>
internal sealed class StripeLossRow(string id, SlowLink link) : IRow
{
    private const int Lost = 1;
    private const double Enough = 0.9;
    private const string SilentId = "proxyshell-silent";
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan Stretch = TimeSpan.FromMilliseconds(250);

    private static readonly Metric Before = new("share of all before", "0.00", InRatios: false);
    private static readonly Metric FirstSecond = new("share of the rest in the first second", "0.00", InRatios: false);
    private static readonly Metric After = new("share of the rest after 1 s", "0.00", InRatios: false);
    private static readonly Metric Recovery = new($"ms until {Enough} of the rest", "#,0", InRatios: false);
    private static readonly Metric Total = new("MB compared", "#,0", InRatios: false);

    private readonly double _rest = link.BytesPerSecond - link.Shapes[Lost].BytesPerSecond!.Value;

    public string Id => id;

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        string title = $"One stream over {link.Shapes.Count} stripes of {link.Shapes[0].BytesPerSecond / 1e6:0} MB/s, one of which is lost for good";
        var result = new RowResult(title, [After, FirstSecond, Recovery, Before, Total, Metric.Failures])
        {
            Goals = [new Goal(After, null, Bound.AtLeast, Enough), new Goal(Metric.Failures, null, Bound.AtMost, 0)],
        };
        if (context.Host is not { } host)
            return result;
        for (int round = 1; round <= context.Options.Rounds; round++)
        {
            await MeasureAsync(new StripedPeer(host, link.Shapes.Count) { Name = "ProxyShell, the stripe is reset", Link = link }, link => link.Refuse(Lost), round, result, context);
            await MeasureAsync(new StripedPeer(host, link.Shapes.Count) { Id = SilentId, Name = "ProxyShell, the stripe falls silent", Link = link }, link => link.Freeze(Lost), round, result, context);
        }

        return result;
    }

    private async Task MeasureAsync(StripedPeer peer, Action<DelayRelay> lose, int round, RowResult result, BenchContext context)
    {
        try
        {
            using Station station = await Station.StartAsync(peer, OriginSpecification.Sequence(), 64, context);
            using var load = new SequenceSinkLoad(LoadTarget.Of(station));
            IReadOnlyDictionary<Metric, double> readings = await ReadAsync(station, load, lose, context);
            result.Add(round, peer, readings);
            BenchContext.Progress($"{Id} {round}/{context.Options.Rounds} {peer.Name}: {After.Name} {readings[After]:0.00}, {Recovery.Name} {readings[Recovery]:0}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            result.Fail(peer, $"failed in round {round}: {failure.Message}");
        }
    }

    private async Task<IReadOnlyDictionary<Metric, double>> ReadAsync(Station station, SequenceSinkLoad load, Action<DelayRelay> lose, BenchContext context)
    {
        load.Start();
        await Task.Delay(context.Times.WarmUp, context.Cancelled);
        double before = Rate(await WatchAsync(load, Grace, context));
        lose(station.Link!);
        List<Point> points = await WatchAsync(load, Grace + context.Times.Measured, context);
        if (load.Fault is { } fault)
            throw new IOException(fault.Message, fault);
        return new Dictionary<Metric, double>
        {
            [Before] = before / link.BytesPerSecond,
            [FirstSecond] = Rate(points.FindAll(point => point.Time <= Grace)) / _rest,
            [After] = Rate(points.FindAll(point => point.Time >= Grace)) / _rest,
            [Recovery] = RecoveryOf(points),
            [Total] = load.Completed / 1e6,
            [Metric.Failures] = load.Failures,
        };
    }

    private static async Task<List<Point>> WatchAsync(SequenceSinkLoad load, TimeSpan time, BenchContext context)
    {
        long started = Stopwatch.GetTimestamp();
        List<Point> points = [new(TimeSpan.Zero, load.Completed)];
        while (points[^1].Time < time)
        {
            await Task.Delay(Sample, context.Cancelled);
            points.Add(new(Stopwatch.GetElapsedTime(started), load.Completed));
        }

        return points;
    }

    // the beginning of the first stretch in which the rate was high enough; what had been on its way is in it
    private double RecoveryOf(List<Point> points)
    {
        foreach (Point point in points)
        {
            Point end = points.Find(later => later.Time >= point.Time + Stretch);
            if (end.Time > TimeSpan.Zero && (end.Bytes - point.Bytes) / (end.Time - point.Time).TotalSeconds >= Enough * _rest && Holds(points, point))
                return point.Time.TotalMilliseconds;
        }

        return double.PositiveInfinity;
    }

    // for a second more: a burst out of buffers is no recovery
    private bool Holds(List<Point> points, Point from) =>
        Rate(points.FindAll(point => point.Time >= from.Time && point.Time <= from.Time + Grace)) >= Enough * _rest;

    private static double Rate(List<Point> points) => (points[^1].Bytes - points[0].Bytes) / (points[^1].Time - points[0].Time).TotalSeconds;

    private readonly record struct Point(TimeSpan Time, long Bytes);
}
