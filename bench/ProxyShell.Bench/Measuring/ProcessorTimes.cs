namespace ProxyShell.Bench.Measuring;

/// <summary>Processor seconds of the relay, of the load with its origin, and of the whole machine.</summary>
internal readonly record struct ProcessorTimes(double Relay, double Load, double Machine)
{
    /// <summary>What neither relay nor load used: other programs, and network work that the kernel left to its own threads.</summary>
    internal double Others => Math.Max(0, Machine - Relay - Load);

    public static ProcessorTimes operator -(ProcessorTimes left, ProcessorTimes right) =>
        new(left.Relay - right.Relay, left.Load - right.Load, left.Machine - right.Machine);

    internal static ProcessorTimes Read(ProcessTree? relay, ProcessTree origin) => new(
        relay?.ProcessorSeconds() ?? 0,
        origin.ProcessorSeconds() + Environment.CpuUsage.TotalTime.TotalSeconds,
        MachineLoad.ProcessorSeconds());
}
