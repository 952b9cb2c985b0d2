using System.Management.Automation;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Get-ProxyEvent: the newest events of jobs, oldest first.</summary>
[Cmdlet(VerbsCommon.Get, "ProxyEvent", DefaultParameterSetName = "Last")]
[OutputType(typeof(ProxyEvent))]
public sealed class GetProxyEventCommand : JobScopeCommand
{
    private readonly List<ProxyJob> _jobs = [];

    [Parameter]
    [ValidateNotNullOrEmpty]
    public ProxyEventKind[]? Kind { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public ProxyErrorReason[]? Reason { get; set; }

    [Parameter]
    public DateTime? Since { get; set; }

    [Parameter(ParameterSetName = "Last")]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "First")]
    [ValidateRange(1, int.MaxValue)]
    public int? First { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord() => _jobs.AddRange(ReadJobs());

    /// <inheritdoc />
    protected override void EndProcessing()
    {
        // each ring is in order already, and a stable sort keeps it so for events of the same moment
        IEnumerable<ProxyEvent> events = _jobs.Distinct().SelectMany(job => job.Service.Events.ToList()).Where(IsWanted).OrderBy(item => item.Time);
        if (First is { } first) events = events.Take(first);
        if (Last is { } last) events = events.TakeLast(last);
        WriteObject(events, enumerateCollection: true);
    }

    private bool IsWanted(ProxyEvent item) =>
        (Kind is null || Kind.Contains(item.Kind))
        && (Reason is null || Reason.Contains(item.Reason))
        && (Since is not { } since || item.Time >= new DateTimeOffset(since));
}
