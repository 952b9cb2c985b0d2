using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Commands;

/// <summary>How the gateway serves the public's HTTP.</summary>
public sealed partial class StartTunnelGatewayCommand
{
    [Parameter]
    [ValidateNotNullOrEmpty]
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
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string[]? TrustedProxy { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? AccessLog { get; set; }

    [Parameter]
    public AccessLogFormat? AccessLogFormat { get; set; }

    [Parameter]
    public long? AccessLogSize { get; set; }

    [Parameter]
    public int? AccessLogCount { get; set; }
}
