using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the names of the tunnels that are registered at gateways of this process.</summary>
public sealed class TunnelNameCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        RegisteredTunnels.At(SessionJobs.OfProcess()).DistinctBy(tunnel => tunnel.Name).Select(tunnel => (tunnel.Name, $"{tunnel.Url}, of {tunnel.Agent}"));
}
