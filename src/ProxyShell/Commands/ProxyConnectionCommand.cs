using System.Management.Automation;
using ProxyShell.Completion;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Get-ProxyConnection: the live connections of jobs.</summary>
[Cmdlet(VerbsCommon.Get, "ProxyConnection")]
[OutputType(typeof(ProxyConnection))]
public sealed class GetProxyConnectionCommand : JobScopeCommand
{
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ConnectionIdCompleter))]
    public long[]? Id { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Destination { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        ProxyConnection[] found = [.. ReadJobs().SelectMany(job => job.Service.GetConnections()).Where(IsWanted).OrderBy(connection => connection.Id)];
        WriteObject(found, enumerateCollection: true);
        if (MyInvocation.ExpectingInput) return;
        foreach (long missing in (Id ?? []).Except(found.Select(connection => connection.Id)))
            WriteError(ProblemRecord.NotFound($"There is no open connection {missing}.", "ConnectionNotFound", missing, "Get-ProxyConnection shows the open ones."));
    }

    private bool IsWanted(ProxyConnection connection) =>
        (Id is null || Id.Contains(connection.Id))
        && (Destination is null || Destination.Any(pattern => new WildcardPattern(pattern, WildcardOptions.IgnoreCase).IsMatch(connection.Destination)));
}

/// <summary>Stop-ProxyConnection: ends connections at once, on both sides.</summary>
[Cmdlet(VerbsLifecycle.Stop, "ProxyConnection", SupportsShouldProcess = true, DefaultParameterSetName = "Connection")]
[OutputType(typeof(void))]
public sealed class StopProxyConnectionCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Connection")]
    [ValidateNotNullOrEmpty]
    public ProxyConnection[] Connection { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "Id")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ConnectionIdCompleter))]
    public long[] Id { get; set; } = [];

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        foreach (ProxyConnection connection in ParameterSetName == "Id" ? FindById() : Connection)
        {
            string what = $"connection {connection.Id} of {connection.Service}: {connection.Client} to {connection.Destination}";
            if (connection.IsEnded) WriteVerbose($"{what} has already ended");
            else if (ShouldProcess(what, "Stop")) connection.Abort();
        }
    }

    private IEnumerable<ProxyConnection> FindById()
    {
        var open = SessionJobs.OfProcess().SelectMany(job => job.Service.GetConnections()).ToDictionary(connection => connection.Id);
        foreach (long id in Id)
        {
            if (open.TryGetValue(id, out ProxyConnection? connection)) yield return connection;
            else WriteError(ProblemRecord.NotFound($"There is no open connection {id}.", "ConnectionNotFound", id, "Get-ProxyConnection shows the open ones."));
        }
    }
}
