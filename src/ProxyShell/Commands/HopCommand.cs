using System.Management.Automation;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Errors;

namespace ProxyShell.Commands;

/// <summary>What the cmdlets that take hops can add to them.</summary>
public abstract class HopCommand : ProxyCmdlet
{
    private X509Certificate2? _clientCertificate;

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

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(CertificateCompleter))]
    public CertificateArgument? ClientCertificate { get; set; }

    [Parameter]
    [ValidateNotNull]
    public SecureString? ClientCertificatePassword { get; set; }

    [Parameter]
    public SwitchParameter Multiplexed { get; set; }

    [Parameter]
    [ValidateRange(1, SessionPooling.SessionLimit)]
    public int? MaxSessions { get; set; }

    [Parameter]
    [ValidateRange(1, SessionPooling.ChannelLimit)]
    public int? MaxChannels { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? SessionIdleTimeout { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true, AtLeast = 1, AtMost = 3600)]
    public TimeSpan? KeepAlive { get; set; }

    private SessionSettings Sessions => new(MaxSessions, MaxChannels, SessionIdleTimeout, KeepAlive);

    /// <summary>Whether keys go to relay hops only and credentials to the others, or a hop that cannot have one is an error.</summary>
    private protected virtual bool TakesMixedHops => true;

    /// <summary>Reads what is to be added to hops; writes an error when the certificate cannot be read.</summary>
    private protected bool TryReadSettings(out HopSettings settings)
    {
        settings = new HopSettings(Key, Credential, Thumbprint, ServerName) { IsForMixedHops = TakesMixedHops, IsMultiplexed = Multiplexed, Sessions = Sessions };
        if (ClientCertificate is null) return true;
        if (_clientCertificate is null && !TryRead(() => ClientCertificate.Resolve(SessionState, ClientCertificatePassword), "InvalidCertificate", ClientCertificate.ToString(), out _clientCertificate))
            return false;
        settings = settings with { ClientCertificate = _clientCertificate };
        return true;
    }

    /// <summary>Writes an error when something was given that none of the hops can have: it would be lost without a word.</summary>
    private protected bool TryUseSettings(IReadOnlyCollection<ProxyHop> hops)
    {
        string? fault = hops.Count == 0 ? null
            : Key is not null && hops.All(hop => hop.Protocol != HopProtocol.Relay) ? "A -Key is given and there is no relay hop that takes it; SOCKS5, HTTP and SSH hops take a -Credential."
            : Credential is not null && hops.All(hop => hop.Protocol == HopProtocol.Relay) ? "A -Credential is given and all hops are relay hops, which take a -Key."
            : ClientCertificate is not null && hops.All(hop => hop.Address.Kind != TransportKind.Tls) ? "A -ClientCertificate is given and no hop uses TLS (relays, relay+wss, socks5+tls, https)."
            : Multiplexed && hops.All(hop => hop.Protocol != HopProtocol.Relay) ? "-Multiplexed is given and there is no relay hop; sessions are kept to relay hops only."
            : !Sessions.IsEmpty && hops.All(hop => !hop.Address.IsMultiplexed) ? $"{SessionSettings.Parameters} are for multiplexed hops, and there is none: write relay+mux:// or relays+mux://, or say -Multiplexed."
            : null;
        if (fault is not null) WriteError(ProblemRecord.From(new FormatException(fault), "InvalidHop", string.Join(" > ", hops)));
        return fault is null;
    }
}
