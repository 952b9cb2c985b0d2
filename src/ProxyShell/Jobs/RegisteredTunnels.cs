using System.Management.Automation;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Jobs;

/// <summary>The tunnels that are registered at gateways of this process.</summary>
internal static class RegisteredTunnels
{
    /// <summary>Those at the gateways among the jobs, by name.</summary>
    public static IEnumerable<TunnelInfo> At(IEnumerable<ProxyJob> jobs) =>
        jobs.OfType<TunnelGatewayJob>().Distinct().SelectMany(job => job.Gateway.GetTunnels()).OrderBy(tunnel => tunnel.Name, StringComparer.Ordinal).ThenBy(tunnel => tunnel.Since);

    /// <summary>Those whose name, or first label of it, is like this.</summary>
    public static IEnumerable<TunnelInfo> Named(IEnumerable<TunnelInfo> tunnels, string name)
    {
        var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
        return tunnels.Where(tunnel => pattern.IsMatch(tunnel.Name) || pattern.IsMatch(tunnel.Name.Split('.')[0]));
    }
}
