using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Set-TunnelGateway: other settings for running gateways.</summary>
[Cmdlet(VerbsCommon.Set, "TunnelGateway", SupportsShouldProcess = true)]
[OutputType(typeof(TunnelGatewayJob))]
public sealed class SetTunnelGatewayCommand : SetListenerCommand, IGatewaySettings
{
    [Parameter]
    public string[]? HostNamePool { get; set; }

    [Parameter]
    public string[]? TcpPortRange { get; set; }

    [Parameter]
    public string[]? UdpPortRange { get; set; }

    [Parameter]
    public string[]? AuthorizedKey { get; set; }

    [Parameter]
    public string? AuthorizedKeysFile { get; set; }

    [Parameter]
    public TokenArgument? Token { get; set; }

    [Parameter]
    public int? MaxAgents { get; set; }

    [Parameter]
    public int? MaxTunnelsPerKey { get; set; }

    [Parameter]
    public int? MaxNamesPerKey { get; set; }

    [Parameter]
    public int? MaxConnectionsPerTunnel { get; set; }

    [Parameter]
    public int? MaxPendingHandshakes { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? SilenceLimit { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ClockWindow { get; set; }

    [Parameter]
    public CredentialArgument[]? Credential { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? AnswerTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? KeepAliveTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ServiceKeepAliveTimeout { get; set; }

    [Parameter]
    public int? MaxIdleConnections { get; set; }

    [Parameter]
    public long? MaxRequestBody { get; set; }

    [Parameter]
    public double? RequestRate { get; set; }

    [Parameter]
    public double? ClientRequestRate { get; set; }

    [Parameter]
    public int? RequestBurst { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string[]? TrustedProxy { get; set; }

    [Parameter]
    public string? AccessLog { get; set; }

    [Parameter]
    public AccessLogFormat? AccessLogFormat { get; set; }

    [Parameter]
    public long? AccessLogSize { get; set; }

    [Parameter]
    public int? AccessLogCount { get; set; }

    private protected override bool IsMeant(ProxyJob job) => job is TunnelGatewayJob;

    private protected override Action? Prepare(ProxyJob job)
    {
        TunnelGateway gateway = ((TunnelGatewayJob)job).Gateway;
        return TryApply(this, gateway.Options, out TunnelGatewayOptions changed) ? () => gateway.Reconfigure(changed) : null;
    }
}
