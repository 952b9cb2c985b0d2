using System.Management.Automation;
using ProxyShell.Completion;
using ProxyShell.Engine.Sessions;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Get-ProxySession: the open sessions of jobs, or of the whole process.</summary>
[Cmdlet(VerbsCommon.Get, "ProxySession")]
[OutputType(typeof(ProxySession))]
public sealed class GetProxySessionCommand : JobScopeCommand
{
    private readonly HashSet<long> _written = [];

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SessionIdCompleter))]
    public long[]? Id { get; set; }

    [Parameter]
    public SessionDirection? Direction { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        IEnumerable<ProxySession> open = Job is null ? OpenSessions.OfProcess() : ReadJobs().SelectMany(OpenSessions.Of);
        // jobs share sessions, and several may come down the pipeline
        ProxySession[] found = [.. open.Where(IsWanted).DistinctBy(session => session.Id).OrderBy(session => session.Id)];
        WriteObject(found.Where(session => _written.Add(session.Id)), enumerateCollection: true);
        if (MyInvocation.ExpectingInput) return;
        foreach (long missing in (Id ?? []).Except(found.Select(session => session.Id))) WriteError(NotFound(missing));
    }

    internal static ErrorRecord NotFound(long id) =>
        ProblemRecord.NotFound($"There is no open session {id}.", "SessionNotFound", id, "Get-ProxySession shows the open ones.");

    private bool IsWanted(ProxySession session) => (Id is null || Id.Contains(session.Id)) && (Direction is null || session.Direction == Direction);
}

/// <summary>Stop-ProxySession: ends sessions at once, with the channels in them.</summary>
[Cmdlet(VerbsLifecycle.Stop, "ProxySession", SupportsShouldProcess = true, DefaultParameterSetName = "Session")]
[OutputType(typeof(void))]
public sealed class StopProxySessionCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Session")]
    [ValidateNotNullOrEmpty]
    public ProxySession[] Session { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "Id")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SessionIdCompleter))]
    public long[] Id { get; set; } = [];

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        foreach (ProxySession session in ParameterSetName == "Id" ? FindById() : Session)
        {
            if (!session.IsOpen) WriteVerbose($"{session} has already ended");
            else if (ShouldProcess(session.ToString(), "Stop")) session.Abort();
        }
    }

    private IEnumerable<ProxySession> FindById()
    {
        var open = OpenSessions.OfProcess().ToDictionary(session => session.Id);
        foreach (long id in Id)
        {
            if (open.TryGetValue(id, out ProxySession? session)) yield return session;
            else WriteError(GetProxySessionCommand.NotFound(id));
        }
    }
}
