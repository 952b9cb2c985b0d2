using System.Diagnostics;
using ProxyShell.Bench.Native;

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
            Process process = Start(command.ToStartInfo(), command.Processors);
            Running.Add(process, command);
            return process;
        }
    }

    // a process inherits the processors of the thread that starts it
    private static Process Start(ProcessStartInfo start, ProcessorSet? processors)
    {
        if (processors is not { } set)
            return Process.Start(start)!;
        ProcessorSet own = ProcessorSet.Current;
        set.Use();
        try
        {
            return Process.Start(start)!;
        }
        finally
        {
            own.Use();
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
