using System.Diagnostics;
using System.Globalization;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Measuring;

/// <summary>Counts the system calls of a running process with strace, to show how it moves its bytes.</summary>
internal static class SystemCallCount
{
    private static readonly string[] Moving =
    [
        "splice", "recvfrom", "recvmsg", "recvmmsg", "read", "readv", "sendto", "sendmsg", "sendmmsg", "write", "writev",
    ];

    internal static bool IsAvailable => InstalledProgram.Find("strace") is not null;

    /// <summary>The calls that move bytes, most frequent first, as <c>splice 1234, recvfrom 3</c>.</summary>
    /// <returns>Null when strace may not attach, or saw none.</returns>
    internal static async Task<string?> TraceAsync(int process, TimeSpan time, CancellationToken cancellationToken)
    {
        string[] arguments = ["-f", "-c", "-U", "name,calls", "-p", $"{process}"];
        Process strace = StartedProcesses.Start(new ProcessCommand(InstalledProgram.Find("strace")!, arguments));
        try
        {
            Task<string> output = strace.StandardError.ReadToEndAsync(cancellationToken);
            await Task.Delay(time, cancellationToken);
            _ = Libc.Kill(strace.Id, Libc.SignalInterrupt);
            return Summarise(await output);
        }
        finally
        {
            StartedProcesses.Stop(strace);
        }
    }

    private static string? Summarise(string table)
    {
        List<(string Name, long Calls)> counts = [];
        foreach (string line in table.Split('\n'))
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            bool counted = columns.Length >= 2 && Moving.Contains(columns[0]);
            if (counted && long.TryParse(columns[1], CultureInfo.InvariantCulture, out long calls))
                counts.Add((columns[0], calls));
        }

        IEnumerable<string> lines = counts.OrderByDescending(count => count.Calls).Select(count => $"{count.Name} {count.Calls}");
        return counts.Count == 0 ? null : string.Join(", ", lines);
    }
}
