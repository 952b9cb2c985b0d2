using ProxyShell.Bench.Measuring;

namespace ProxyShell.Bench.Rows;

/// <summary>What a process keeps in memory for each channel that says nothing any more: the growth of both ends' processes, for each end of a channel.</summary>
internal sealed class IdleChannelRow : IRow
{
    private const int Channels = 20_000;
    private const int WarmUpChannels = 500;
    private const int Ends = 2;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    public string Id => "session-idle";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        Metric[] metrics = [Metric.MemoryPerChannel, Metric.ManagedPerChannel, Metric.MemoryBefore, Metric.MemoryAfter, Metric.Channels];
        var result = new RowResult(FormattableString.Invariant($"Idle memory per channel end at {Channels:#,0} channels"), metrics)
        {
            Goals = [new Goal(Metric.MemoryPerChannel, null, Bound.AtMost, 2)],
        };
        await SessionDrivers.MeasureAsync(context, result, Id, WarmUpAsync, MeasureAsync);
        return result;
    }

    private static async Task WarmUpAsync(DriverProcess driver, CancellationToken cancellationToken)
    {
        await driver.AskNumbersAsync($"exchange {WarmUpChannels}", cancellationToken);
        await driver.AskNumbersAsync($"exchange {WarmUpChannels}", cancellationToken);
        await Task.Delay(Settling, cancellationToken);
    }

    private static async Task<IReadOnlyDictionary<Metric, double>> MeasureAsync(DriverProcess driver, CancellationToken cancellationToken)
    {
        MemoryUse before = driver.Tree.Memory();
        double[] managed = await driver.AskNumbersAsync($"hold {Channels}", cancellationToken);
        await Task.Delay(Settling, cancellationToken);
        MemoryUse after = driver.Tree.Memory();
        return new Dictionary<Metric, double>
        {
            [Metric.MemoryPerChannel] = (after - before).Proportional / (Ends * Channels),
            [Metric.ManagedPerChannel] = (managed[1] - managed[0]) / 1024 / Channels,
            [Metric.MemoryBefore] = before.Proportional / 1024,
            [Metric.MemoryAfter] = after.Proportional / 1024,
            [Metric.Channels] = Channels,
        };
    }
}
