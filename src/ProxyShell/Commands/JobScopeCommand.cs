using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
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
    private protected IReadOnlyList<ProxyJob> ReadJobs() => Job is null ? SessionJobs.OfProcess() : [.. Job.SelectMany(ReadJobs)];
}
