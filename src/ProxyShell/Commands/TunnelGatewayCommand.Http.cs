using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Security;
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
    public AccessLogFormat AccessLogFormat { get; set; }

    [Parameter]
    public long? AccessLogSize { get; set; }

    [Parameter]
    public int? AccessLogCount { get; set; }

    private bool TryReadHttp(TunnelHttpOptions before, out TunnelHttpOptions http)
    {
        bool good = TryReadEach(TrustedProxy, SourceNetwork.Parse, "InvalidSource", out List<SourceNetwork> trusted);
        good &= TryReadEach(Credential, item => item.Resolve(), "InvalidCredential", out List<ProxyCredential> users);
        AccessLogOptions? log = null;
        good &= AccessLog is null || TryRead(ReadLog, "InvalidAccessLog", AccessLog, out log);
        http = before with
        {
            AnswerTimeout = AnswerTimeout ?? before.AnswerTimeout,
            KeepAliveTimeout = KeepAliveTimeout ?? before.KeepAliveTimeout,
            ServiceKeepAliveTimeout = ServiceKeepAliveTimeout ?? before.ServiceKeepAliveTimeout,
            MaxIdleConnections = MaxIdleConnections ?? before.MaxIdleConnections,
            MaxRequestBody = MaxRequestBody ?? before.MaxRequestBody,
            RequestRate = RequestRate ?? before.RequestRate,
            ClientRequestRate = ClientRequestRate ?? before.ClientRequestRate,
            RequestBurst = RequestBurst ?? before.RequestBurst,
            Credentials = users,
            TrustedProxies = trusted,
            AccessLog = log,
        };
        return good;
    }

    private AccessLogOptions ReadLog()
    {
        string path = PathOf(AccessLog)!;
        if (!Directory.Exists(Path.GetDirectoryName(path))) throw new FormatException($"The folder of the access log '{AccessLog}' does not exist.");
        AccessLogOptions log = new() { Path = path, Format = AccessLogFormat };
        return log with { MaxLength = AccessLogSize ?? log.MaxLength, KeptFiles = AccessLogCount ?? log.KeptFiles };
    }
}
