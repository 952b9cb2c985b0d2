using System.Diagnostics;
using ProxyShell.Bench.Load;

namespace ProxyShell.Bench.Measuring;

/// <summary>What happened in the measured part of a load's run.</summary>
internal sealed record LoadWindow(double Seconds, long Completed, long Failures, double RelayProcessorSeconds, double LoadProcessorSeconds, MemoryUse RelayMemory)
{
    /// <summary>Runs the load, lets it settle, and measures for the given time.</summary>
    /// <param name="relay">The relay's processes, or null when there is none.</param>
    /// <param name="origin">The origin's processes; they count as load.</param>
    internal static async Task<LoadWindow> MeasureAsync(
        ILoad load, ProcessTree? relay, ProcessTree origin, WindowTimes times, CancellationToken cancellationToken)
    {
        load.Start();
        await Task.Delay(times.WarmUp, cancellationToken);
        load.Latency?.Restart();
        Snapshot start = Snapshot.Take(load, relay, origin);
        await Task.Delay(times.Measured, cancellationToken);
        Snapshot end = Snapshot.Take(load, relay, origin);
        return new LoadWindow(
            Stopwatch.GetElapsedTime(start.Timestamp, end.Timestamp).TotalSeconds,
            end.Completed - start.Completed,
            load.Failures,
            end.RelayProcessorSeconds - start.RelayProcessorSeconds,
            end.LoadProcessorSeconds - start.LoadProcessorSeconds,
            relay?.Memory() ?? default);
    }

    private readonly record struct Snapshot(long Timestamp, long Completed, double RelayProcessorSeconds, double LoadProcessorSeconds)
    {
        internal static Snapshot Take(ILoad load, ProcessTree? relay, ProcessTree origin)
        {
            // the counter last: reading /proc takes some milliseconds
            double relaySeconds = relay?.ProcessorSeconds() ?? 0;
            double loadSeconds = origin.ProcessorSeconds() + Environment.CpuUsage.TotalTime.TotalSeconds;
            return new Snapshot(Stopwatch.GetTimestamp(), load.Completed, relaySeconds, loadSeconds);
        }
    }
}
