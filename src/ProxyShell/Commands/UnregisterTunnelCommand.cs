using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Unregister-Tunnel: withdraws tunnels of this machine in order, and removes their jobs.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "Tunnel", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class UnregisterTunnelCommand : ProxyCmdlet
{
    private readonly List<TunnelJob> _jobs = [];

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobNameCompleter))]
    public JobArgument[] Job { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        foreach (JobArgument argument in Job)
        {
            foreach (ProxyJob job in ReadJobs(argument))
            {
                if (job is TunnelJob tunnel) Add(tunnel);
                else if (!argument.MayBeNone) WriteError(ProblemRecord.WrongKind($"The job '{job.Name}' is of type {job.PSJobTypeName}; Stop-Job stops it.", "WrongJobType", job));
            }
        }
    }

    // all leave at once, so that one with visitors holds up no other
    /// <inheritdoc />
    protected override void EndProcessing()
    {
        TimeSpan? grace = Force ? TimeSpan.Zero : null;
        Await(Task.WhenAll(_jobs.Select(job => job.StopAsync(grace, "unregistered"))).WaitAsync(StopToken));
        _jobs.ForEach(SessionJobs.Discard);
    }

    private void Add(TunnelJob job)
    {
        if (!_jobs.Contains(job) && ShouldProcess(job.Location, "Unregister tunnel")) _jobs.Add(job);
    }
}
