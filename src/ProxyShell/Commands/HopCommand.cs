using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Chains;
using ProxyShell.Errors;

namespace ProxyShell.Commands;

/// <summary>What the cmdlets that take hops can add to them.</summary>
public abstract class HopCommand : ProxyCmdlet
{
    [Parameter]
    [ValidateNotNull]
    public KeyArgument? Key { get; set; }

    [Parameter]
    [ValidateNotNull]
    public CredentialArgument? Credential { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Thumbprint { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ServerName { get; set; }

    /// <summary>Whether keys go to relay hops only and credentials to the others, or a hop that cannot have one is an error.</summary>
    private protected virtual bool TakesMixedHops => true;

    private protected HopSettings Settings => new(Key, Credential, Thumbprint, ServerName) { IsForMixedHops = TakesMixedHops };

    /// <summary>Writes an error when a key or a credential was given and none of the hops can have one: it would be lost without a word.</summary>
    private protected bool TryUseSettings(IReadOnlyCollection<ProxyHop> hops)
    {
        string? fault = hops.Count == 0 ? null
            : Key is not null && hops.All(hop => hop.Protocol != HopProtocol.Relay) ? "A -Key is given and there is no relay hop that takes it; SOCKS5, HTTP and SSH hops take a -Credential."
            : Credential is not null && hops.All(hop => hop.Protocol == HopProtocol.Relay) ? "A -Credential is given and all hops are relay hops, which take a -Key."
            : null;
        if (fault is not null) WriteError(ProblemRecord.From(new FormatException(fault), "InvalidHop", string.Join(" > ", hops)));
        return fault is null;
    }
}
