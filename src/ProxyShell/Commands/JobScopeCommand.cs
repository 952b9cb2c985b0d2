using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>
/// Cmdlets that look at the jobs of this module: those given, or all of the process, so that what runs in one runspace can be
/// looked at from another.
/// </summary>
public abstract class JobScopeCommand : ProxyCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobNameCompleter))]
    public virtual JobArgument[]? Job { get; set; }

    /// <summary>The jobs meant; writes an error for each name or id that is none.</summary>
    private protected IReadOnlyList<ProxyJob> ReadJobs()
    {
        if (Job is null) return SessionJobs.OfProcess();
        var jobs = new List<ProxyJob>();
        foreach (JobArgument argument in Job)
        {
            IReadOnlyList<ProxyJob> found = argument.Resolve();
            if (found.Count == 0 && !argument.MayBeNone)
                WriteError(ProblemRecord.NotFound($"'{argument}' is no job of ProxyShell.", "JobNotFound", argument.Target ?? "", "Get-Job shows the jobs of this session."));
            jobs.AddRange(found);
        }
        return jobs;
    }
}
