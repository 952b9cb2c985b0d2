using System.Globalization;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Measuring;

/// <summary>A process and all its descendants, read from <c>/proc</c>.</summary>
internal sealed class ProcessTree(int rootProcess)
{
    private static readonly double TickSeconds = 1.0 / Libc.SystemConfiguration(Libc.ClockTicksPerSecond);

    /// <summary>Processor seconds of all threads of all processes, with those of descendants that ended and were reaped.</summary>
    internal double ProcessorSeconds() => Processes().Sum(stat => stat.Ticks) * TickSeconds;

    internal MemoryUse Memory() => Processes().Aggregate(default(MemoryUse), (sum, stat) => sum + MemoryUse.Of(stat.Id));

    internal int OpenDescriptors() => Processes().Sum(stat => CountDescriptors(stat.Id, _ => true));

    internal int OpenPipes() =>
        Processes().Sum(stat => CountDescriptors(stat.Id, link => link.StartsWith("pipe:", StringComparison.Ordinal)));

    private List<ProcessStat> Processes()
    {
        List<ProcessStat> all = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int id)
                && ProcessStat.TryRead(id) is { } stat)
                all.Add(stat);
        }

        ILookup<int, ProcessStat> byParent = all.ToLookup(stat => stat.Parent);
        List<ProcessStat> tree = [.. all.Where(stat => stat.Id == rootProcess)];
        for (int i = 0; i < tree.Count; i++)
            tree.AddRange(byParent[tree[i].Id]);
        return tree;
    }

    private static int CountDescriptors(int process, Func<string, bool> counts)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{process}/fd")
                .Count(path => counts(new FileInfo(path).LinkTarget ?? string.Empty));
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private sealed record ProcessStat(int Id, int Parent, long Ticks)
    {
        private const int ParentField = 1;
        private const int FirstTimeField = 11; // utime, stime, cutime, cstime in this order

        internal static ProcessStat? TryRead(int id)
        {
            try
            {
                string text = File.ReadAllText($"/proc/{id}/stat");
                // the command name may hold spaces and brackets; what follows its last bracket does not
                string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                long ticks = 0;
                for (int field = FirstTimeField; field < FirstTimeField + 4; field++)
                    ticks += long.Parse(fields[field], CultureInfo.InvariantCulture);
                return new ProcessStat(id, int.Parse(fields[ParentField], CultureInfo.InvariantCulture), ticks);
            }
            catch (IOException)
            {
                return null; // it ended meanwhile
            }
        }
    }
}
