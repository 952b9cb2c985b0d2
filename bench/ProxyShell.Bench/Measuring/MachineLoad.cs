using System.Globalization;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Measuring;

/// <summary>What all processes of the machine together use, read from <c>/proc/stat</c>.</summary>
internal static class MachineLoad
{
    // after the label: user, nice, system, idle, iowait, irq, softirq, steal (proc(5))
    private static readonly int[] BusyFields = [1, 2, 3, 6, 7, 8];

    internal static double ProcessorSeconds()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long ticks = BusyFields.Sum(field => long.Parse(fields[field], CultureInfo.InvariantCulture));
        return (double)ticks / Libc.SystemConfiguration(Libc.ClockTicksPerSecond);
    }
}
