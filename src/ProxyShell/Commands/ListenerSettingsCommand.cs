using System.Management.Automation;
using System.Security;
using ProxyShell.Arguments;
using ProxyShell.Completion;

namespace ProxyShell.Commands;

/// <summary>
/// The limits and the secrets of a listener: what is told to it when it starts, and what can be told otherwise while it runs.
/// What must not be null at the start is overridden there.
/// </summary>
public abstract partial class ListenerSettingsCommand : ProxyCmdlet
{
    [Parameter]
    [ArgumentCompleter(typeof(CertificateCompleter))]
    public virtual CertificateArgument[]? Certificate { get; set; }

    [Parameter]
    [ValidateNotNull]
    public SecureString? CertificatePassword { get; set; }

    [Parameter]
    public virtual string[]? ClientCertificateThumbprint { get; set; }

    [Parameter]
    public virtual AuthorityArgument[]? ClientCertificateAuthority { get; set; }

    // no range here: it would refuse null, which is what an empty column of a file means
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? MaxConnections { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? MaxConnectionsPerClient { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public long? BandwidthLimit { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public long? ClientBandwidthLimit { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public virtual string[]? AllowSource { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public virtual string[]? DenySource { get; set; }

    [Parameter]
    public SwitchParameter AcceptProxyProtocol { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? HandshakeTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ConnectTimeout { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? IdleTimeout { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? UdpIdleTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StopTimeout { get; set; }

    [Parameter]
    public SwitchParameter AllowAnonymous { get; set; }
}
