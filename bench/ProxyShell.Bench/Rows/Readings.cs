using ProxyShell.Bench.Measuring;

namespace ProxyShell.Bench.Rows;

/// <summary>What every load's run tells.</summary>
internal static class Readings
{
    internal static Dictionary<Metric, double> Common(LoadWindow window) => new()
    {
        [Metric.RelayCores] = window.Processor.Relay / window.Seconds,
        [Metric.LoadCores] = window.Processor.Load / window.Seconds,
        [Metric.OtherCores] = window.Processor.Others / window.Seconds,
        [Metric.Memory] = window.RelayMemory.Proportional / 1024,
        [Metric.Failures] = window.Failures,
    };
}
