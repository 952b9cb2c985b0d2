using ProxyShell.Arguments;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Commands;

/// <summary>The parameters that only tunnel gateways have, at the start and while they run.</summary>
internal interface IGatewaySettings
{
    string[]? HostNamePool { get; }

    string[]? TcpPortRange { get; }

    string[]? UdpPortRange { get; }

    string[]? AuthorizedKey { get; }

    string? AuthorizedKeysFile { get; }

    TokenArgument? Token { get; }

    int? MaxAgents { get; }

    int? MaxTunnelsPerKey { get; }

    int? MaxNamesPerKey { get; }

    int? MaxConnectionsPerTunnel { get; }

    int? MaxPendingHandshakes { get; }

    TimeSpan? SilenceLimit { get; }

    TimeSpan? ClockWindow { get; }

    CredentialArgument[]? Credential { get; }

    TimeSpan? AnswerTimeout { get; }

    TimeSpan? KeepAliveTimeout { get; }

    TimeSpan? ServiceKeepAliveTimeout { get; }

    int? MaxIdleConnections { get; }

    long? MaxRequestBody { get; }

    double? RequestRate { get; }

    double? ClientRequestRate { get; }

    int? RequestBurst { get; }

    string[]? TrustedProxy { get; }

    string? AccessLog { get; }

    AccessLogFormat? AccessLogFormat { get; }

    long? AccessLogSize { get; }

    int? AccessLogCount { get; }
}
