using System.Management.Automation;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the names of this module's jobs; to cmdlets that change running jobs of one kind, only theirs.</summary>
public sealed class JobNameCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() => Shown(SessionJobs.OfProcess());

    private protected override IEnumerable<(string Value, string Tip)> Candidates(string commandName) => commandName switch
    {
        "Set-ProxyServer" => Shown(Running().OfType<ProxyServerJob>()),
        "Set-AccessListener" => Shown(Running().OfType<AccessListenerJob>()),
        "Unregister-Tunnel" => Shown(SessionJobs.OfProcess().OfType<TunnelJob>()),
        "Get-Tunnel" or "Set-TunnelGateway" => Shown(Running().OfType<TunnelGatewayJob>()),
        "Set-StripedPipe" or "Get-ProxyStripe" => Shown(Running().OfType<StripedPipeJob>()),
        _ => Candidates(),
    };

    private static IEnumerable<ProxyJob> Running() => SessionJobs.OfProcess().Where(job => job.JobStateInfo.State == JobState.Running);

    private static IEnumerable<(string Value, string Tip)> Shown(IEnumerable<ProxyJob> jobs) => jobs.Select(job => (job.Name, $"{job.PSJobTypeName}, {job.StatusMessage}"));
}
