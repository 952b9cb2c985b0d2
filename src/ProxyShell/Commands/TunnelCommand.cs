using System.Management.Automation;
using ProxyShell.Completion;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Get-Tunnel: the tunnels that are registered at gateways of this process.</summary>
[Cmdlet(VerbsCommon.Get, "Tunnel")]
[OutputType(typeof(TunnelInfo))]
public sealed class GetTunnelCommand : JobScopeCommand
{
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(TunnelNameCompleter))]
    public string[]? Name { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        TunnelInfo[] found = [.. RegisteredTunnels.At(ReadJobs())];
        foreach (string name in Name ?? ["*"])
        {
            TunnelInfo[] named = [.. RegisteredTunnels.Named(found, name)];
            WriteObject(named, enumerateCollection: true);
            if (named.Length == 0 && !MyInvocation.ExpectingInput && !WildcardPattern.ContainsWildcardCharacters(name)) WriteError(NotFound(name));
        }
    }

    internal static ErrorRecord NotFound(string name) =>
        ProblemRecord.NotFound($"No tunnel '{name}' is registered.", "TunnelNotFound", name, "Get-Tunnel shows those that are.");
}

/// <summary>Stop-Tunnel: ends tunnels at the gateway, at once.</summary>
[Cmdlet(VerbsLifecycle.Stop, "Tunnel", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(void))]
public sealed class StopTunnelCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Tunnel")]
    [ValidateNotNullOrEmpty]
    public TunnelInfo[] Tunnel { get; set; } = [];

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(TunnelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        foreach (TunnelInfo tunnel in ParameterSetName == "Name" ? Name.SelectMany(Find) : Tunnel)
        {
            if (ShouldProcess($"{tunnel.Name} of {tunnel.Agent} at {tunnel.Gateway}", "Stop tunnel")) Await(tunnel.KickAsync());
        }
    }

    private IEnumerable<TunnelInfo> Find(string name)
    {
        TunnelInfo[] named = [.. RegisteredTunnels.Named(RegisteredTunnels.At(SessionJobs.OfProcess()), name)];
        if (named.Length == 0 && !WildcardPattern.ContainsWildcardCharacters(name)) WriteError(GetTunnelCommand.NotFound(name));
        return named;
    }
}
