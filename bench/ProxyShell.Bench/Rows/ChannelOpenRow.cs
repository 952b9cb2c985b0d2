using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>How long it takes to open channels of a session all at once and to close them again.</summary>
/// <remarks>The time from the first offer until no channel is left, as the near end's process sees it; without and with a byte that travels there and back on each.</remarks>
internal sealed class ChannelOpenRow(int channels) : IRow
{
    private const int WarmUpCycles = 40;
    private const int Cycles = 7;

    public string Id => "session-open";

    public async Task<RowResult> RunAsync(BenchContext context)
    {
        var result = new RowResult($"{channels} channels of a session opened and closed", [Metric.Cycle, Metric.CycleWithExchange])
        {
            Goals = [new Goal(Metric.Cycle, null, Bound.AtMost, 55)],
        };
        await SessionDrivers.MeasureAsync(context, result, Id, WarmUpAsync, MeasureAsync);
        return result;
    }

    private async Task WarmUpAsync(DriverProcess driver, CancellationToken cancellationToken)
    {
        for (int cycle = 0; cycle < WarmUpCycles; cycle++)
            await driver.AskNumbersAsync($"exchange {channels}", cancellationToken);
    }

    private async Task<IReadOnlyDictionary<Metric, double>> MeasureAsync(DriverProcess driver, CancellationToken cancellationToken)
    {
        List<double> plain = [], exchanging = [];
        for (int cycle = 0; cycle < Cycles; cycle++)
        {
            plain.AddRange(await driver.AskNumbersAsync($"cycle {channels}", cancellationToken));
            exchanging.AddRange(await driver.AskNumbersAsync($"exchange {channels}", cancellationToken));
        }

        return new Dictionary<Metric, double>
        {
            [Metric.Cycle] = Spread.Of(plain)!.Value.Median,
            [Metric.CycleWithExchange] = Spread.Of(exchanging)!.Value.Median,
        };
    }
}
