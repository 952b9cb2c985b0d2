using System.Diagnostics;
using ProxyShell.Bench.Load;

namespace ProxyShell.Bench.Measuring;

/// <summary>What happened in the measured part of a load's run.</summary>
/// <param name="Completed">Units of the load's work in that time.</param>
/// <param name="Failures">Connections that broke, warm-up included.</param>
/// <param name="Processor">Processor seconds spent in that time.</param>
internal sealed record LoadWindow(double Seconds, long Completed, long Failures, ProcessorTimes Processor, MemoryUse RelayMemory)
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
        if (load.Fault is not null)
            throw new IOException($"the load ended early: {load.Fault.Message}", load.Fault);
        if (end.Completed == start.Completed)
            throw new IOException("nothing came through");
        return new LoadWindow(
            Stopwatch.GetElapsedTime(start.Timestamp, end.Timestamp).TotalSeconds,
            end.Completed - start.Completed,
            load.Failures,
            end.Processor - start.Processor,
            relay?.Memory() ?? default);
    }

    private readonly record struct Snapshot(ProcessorTimes Processor, long Timestamp, long Completed)
    {
        // the counter last: reading /proc takes some milliseconds
        internal static Snapshot Take(ILoad load, ProcessTree? relay, ProcessTree origin) =>
            new(ProcessorTimes.Read(relay, origin), Stopwatch.GetTimestamp(), load.Completed);
    }
}
