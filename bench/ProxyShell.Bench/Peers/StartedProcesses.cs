using System.Diagnostics;

namespace ProxyShell.Bench.Peers;

/// <summary>Every process that the bench started and has not ended yet, so that none outlives it.</summary>
internal static class StartedProcesses
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<Process, ProcessCommand> Running = [];
    private static bool _closed;

    internal static Process Start(ProcessCommand command)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(StartedProcesses));
            Process process = Process.Start(command.ToStartInfo())!;
            Running.Add(process, command);
            return process;
        }
    }

    internal static void Stop(Process process)
    {
        ProcessCommand? command;
        lock (Gate)
        {
            if (!Running.Remove(process, out command))
                return;
        }

        End(process, command);
        process.Dispose();
    }

    /// <summary>Ends all and refuses new ones.</summary>
    internal static void StopAll()
    {
        lock (Gate)
        {
            _closed = true;
            foreach ((Process process, ProcessCommand command) in Running)
                End(process, command);
            Running.Clear();
        }
    }

    private static void End(Process process, ProcessCommand command)
    {
        Kill(process);
        foreach (string file in command.Leftovers.Where(File.Exists))
            File.Delete(file);
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(TimeSpan.FromSeconds(10));
        }
        catch (Exception gone) when (gone is InvalidOperationException or AggregateException)
        {
            // it ended by itself
        }
    }
}
