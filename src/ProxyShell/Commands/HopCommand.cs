using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Commands;

/// <summary>What the cmdlets that take hops can add to them.</summary>
public abstract class HopCommand : ProxyCmdlet
{
    [Parameter]
    [ValidateNotNull]
    public KeyArgument? Key { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Thumbprint { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ServerName { get; set; }

    /// <summary>Reads hops and adds the settings; writes one error for each bad one and gives false when there was any.</summary>
    private protected bool TryReadHops(IEnumerable<HopArgument> arguments, List<ProxyHop> hops)
    {
        var settings = new HopSettings(Key, Thumbprint, ServerName);
        bool good = true;
        foreach (HopArgument argument in arguments)
        {
            if (TryRead(() => argument.Resolve().Select(settings.ApplyTo).ToArray(), "InvalidHop", argument.Target, out ProxyHop[]? read)) hops.AddRange(read);
            else good = false;
        }
        return good;
    }
}
