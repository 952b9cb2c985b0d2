using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Commands;

/// <summary>How visitors are admitted and led to the service, and the times and limits of the agent.</summary>
public sealed partial class RegisterTunnelCommand
{
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? HostHeader { get; set; }

    [Parameter]
    public long? MaxRequestBody { get; set; }

    [Parameter]
    public double? RequestRate { get; set; }

    [Parameter]
    public double? ClientRequestRate { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? MaxConnections { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string[]? AllowSource { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public CredentialArgument[]? Credential { get; set; }

    [Parameter]
    public ProxyHeaderVersion SendProxyProtocol { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DestinationThumbprint { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DestinationServerName { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ConnectTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? GatewayTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? HandshakeTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? SilenceLimit { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? FirstRetry { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? MaxRetry { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? RefusedRetry { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? StopTimeout { get; set; }

    [Parameter]
    [ValidateRange(1, 1_000_000)]
    public int EventCapacity { get; set; } = EventRing.DefaultCapacity;

    private TlsTrust ReadDestinationTrust() => DestinationThumbprint is null ? TlsTrust.System : TlsTrust.Pinned(DestinationThumbprint);

    private bool TryReadSettings(out TunnelSettings settings)
    {
        bool good = TryReadEach(AllowSource, SourceNetwork.Parse, "InvalidSource", out List<SourceNetwork> allowed);
        good &= TryReadEach(Credential, item => item.Resolve(), "InvalidCredential", out List<ProxyCredential> users);
        settings = new TunnelSettings
        {
            HostHeader = HostHeader,
            MaxRequestBody = MaxRequestBody ?? 0,
            RequestRate = RequestRate ?? 0,
            ClientRequestRate = ClientRequestRate ?? 0,
            MaxConnections = MaxConnections ?? 0,
            AllowSource = allowed,
            Credentials = users,
        };
        return good;
    }

    private TunnelAgentOptions WithTimes(TunnelAgentOptions options) => options with
    {
        MaxConnections = MaxConnections ?? options.MaxConnections,
        ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout,
        GatewayTimeout = GatewayTimeout ?? options.GatewayTimeout,
        HandshakeTimeout = HandshakeTimeout ?? options.HandshakeTimeout,
        SilenceLimit = SilenceLimit ?? options.SilenceLimit,
        FirstRetry = FirstRetry ?? options.FirstRetry,
        MaxRetry = MaxRetry ?? options.MaxRetry,
        RefusedRetry = RefusedRetry ?? options.RefusedRetry,
        StopTimeout = StopTimeout ?? options.StopTimeout,
    };
}
