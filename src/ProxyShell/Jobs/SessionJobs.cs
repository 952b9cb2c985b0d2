using System.Management.Automation;
using System.Management.Automation.Runspaces;
using ProxyShell.Engine.Chains.Pool;

namespace ProxyShell.Jobs;

/// <summary>The jobs of one runspace. They end with it: no listener outlives the session that started it.</summary>
internal sealed class SessionJobs
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);
    private static readonly Lock Gate = new();
    private static readonly List<SessionJobs> Sessions = [];

    private readonly List<ProxyJob> _jobs = [];
    private Guid _runspaceId;

    /// <summary>The jobs of all runspaces of this process, in the order in which they were made.</summary>
    public static IReadOnlyList<ProxyJob> OfProcess()
    {
        lock (Gate) return [.. Sessions.SelectMany(session => session._jobs).OrderBy(job => job.Id)];
    }

    /// <summary>Stops all jobs of a runspace at once and waits until their listeners are closed, and with the last of the process the sessions to hops.</summary>
    public static void StopAllOf(Runspace runspace, string reason)
    {
        SessionJobs[] ending;
        lock (Gate) ending = [.. Sessions.Where(session => session._runspaceId == runspace.InstanceId)];
        long start = Environment.TickCount64;
        Task.WaitAll([.. ending.SelectMany(session => session.ToList()).Select(job => job.StopAsync(TimeSpan.Zero, reason))], StopDeadline);
        // tests of chains leave warm sessions behind, which nobody is there to use any more
        if (OfProcess().Any(job => job.JobStateInfo.State == JobState.Running)) return;
        TimeSpan left = StopDeadline - TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
        if (left > TimeSpan.Zero) Task.WaitAll([SessionPool.Shared.CloseAsync()], left);
    }

    /// <summary>Ends a job at once and takes it out of its session, as Remove-Job -Force does it.</summary>
    public static void Discard(ProxyJob job)
    {
        lock (Gate) Sessions.ForEach(session => session._jobs.Remove(job));
        job.Dispose();
    }

    public void Add(ProxyJob job, Runspace runspace)
    {
        lock (Gate)
        {
            _jobs.Add(job);
            if (Sessions.Contains(this)) return;
            Sessions.Add(this);
            _runspaceId = runspace.InstanceId;
        }
        runspace.StateChanged += OnRunspaceStateChanged;
    }

    public void Remove(ProxyJob job)
    {
        lock (Gate) _jobs.Remove(job);
    }

    public IReadOnlyList<ProxyJob> ToList()
    {
        lock (Gate) return [.. _jobs];
    }

    private void OnRunspaceStateChanged(object? sender, RunspaceStateEventArgs e)
    {
        if (sender is not Runspace runspace || e.RunspaceStateInfo.State is not (RunspaceState.Closing or RunspaceState.Closed or RunspaceState.Broken)) return;
        StopAllOf(runspace, "its session ended");
        lock (Gate) Sessions.Remove(this);
        runspace.StateChanged -= OnRunspaceStateChanged;
    }
}
