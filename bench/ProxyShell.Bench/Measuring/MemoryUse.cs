using System.Globalization;

namespace ProxyShell.Bench.Measuring;

/// <summary>Memory of processes in KiB: proportional (shared pages divided among their users), private, resident.</summary>
internal readonly record struct MemoryUse(double Proportional, double Private, double Resident)
{
    public static MemoryUse operator +(MemoryUse left, MemoryUse right) =>
        new(left.Proportional + right.Proportional, left.Private + right.Private, left.Resident + right.Resident);

    public static MemoryUse operator -(MemoryUse left, MemoryUse right) =>
        new(left.Proportional - right.Proportional, left.Private - right.Private, left.Resident - right.Resident);

    internal static MemoryUse Of(int process)
    {
        MemoryUse use = default;
        try
        {
            foreach (string line in File.ReadLines($"/proc/{process}/smaps_rollup"))
                use += Of(line);
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            // a process that ended uses nothing
        }

        return use;
    }

    private static MemoryUse Of(string line)
    {
        string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 3 || !double.TryParse(parts[1], CultureInfo.InvariantCulture, out double kibibytes))
            return default;
        return parts[0] switch
        {
            "Pss:" => new MemoryUse(kibibytes, 0, 0),
            "Private_Clean:" or "Private_Dirty:" => new MemoryUse(0, kibibytes, 0),
            "Rss:" => new MemoryUse(0, 0, kibibytes),
            _ => default,
        };
    }
}
