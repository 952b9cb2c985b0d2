using System.Globalization;
using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Measuring;

/// <summary>Where and when the figures were measured.</summary>
internal static class MachineDescription
{
    internal static IReadOnlyList<string> Lines() =>
    [
        $"Date: {DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC",
        $"Processor: {ProcessorModel()}, {Environment.ProcessorCount} cores",
        $"Memory: {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024 * 1024 * 1024)} GiB",
        $"Kernel: {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()} ({RuntimeInformation.OSArchitecture})",
        $"Runtime: {RuntimeInformation.FrameworkDescription}",
        $"Load average before the run: {File.ReadAllText("/proc/loadavg").Split(' ')[0]}",
    ];

    private static string ProcessorModel() =>
        File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?
            .Split(':')[1].Trim()
        ?? RuntimeInformation.ProcessArchitecture.ToString();
}
