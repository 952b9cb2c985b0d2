using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Commands;

/// <summary>Reading the settings of tunnel gateways.</summary>
public abstract partial class ListenerSettingsCommand
{
    /// <summary>Puts what only gateways can be told into the options too.</summary>
    private protected bool TryApply(IGatewaySettings given, TunnelGatewayOptions before, out TunnelGatewayOptions changed)
    {
        bool good = TryReadEach(given.TcpPortRange, ReadPorts, "InvalidPort", out List<PortRange> tcp);
        good &= TryReadEach(given.UdpPortRange, ReadPorts, "InvalidPort", out List<PortRange> udp);
        TunnelToken? token = null;
        good &= given.Token is null || TryRead(given.Token.Resolve, "InvalidToken", given.Token.ToString(), out token);
        good &= TryRead(given, before.Http, out TunnelHttpOptions http);
        string[] pool = [.. (given.HostNamePool ?? []).Select(label => label.Trim().ToLowerInvariant())];
        TunnelGatewayOptions own = WithLimits(given, before) with
        {
            HostNamePool = ListOf(nameof(given.HostNamePool), pool, before.HostNamePool),
            TcpPorts = ListOf(nameof(given.TcpPortRange), tcp, before.TcpPorts),
            UdpPorts = ListOf(nameof(given.UdpPortRange), udp, before.UdpPorts),
            AuthorizedKeys = ListOf(nameof(given.AuthorizedKey), given.AuthorizedKey ?? [], before.AuthorizedKeys),
            AuthorizedKeysFile = IsGiven(nameof(given.AuthorizedKeysFile)) ? PathOf(given.AuthorizedKeysFile) : before.AuthorizedKeysFile,
            Token = IsGiven(nameof(given.Token)) ? token : before.Token,
            Http = http,
        };
        return TryApply(own, out changed) && good;
    }

    // paths are resolved as PowerShell does, which is not as the process does
    private protected string? PathOf(string? path) => string.IsNullOrEmpty(path) ? null : SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);

    private static PortRange ReadPorts(string text) => PortRange.Parse(text) is { First: > 0 } range
        ? range
        : throw new FormatException($"'{text}' begins with port 0; the public connects to ports from 1 on.");

    private static TunnelGatewayOptions WithLimits(IGatewaySettings given, TunnelGatewayOptions before) => before with
    {
        MaxAgents = given.MaxAgents ?? before.MaxAgents,
        MaxTunnelsPerKey = given.MaxTunnelsPerKey ?? before.MaxTunnelsPerKey,
        MaxNamesPerKey = given.MaxNamesPerKey ?? before.MaxNamesPerKey,
        MaxConnectionsPerTunnel = given.MaxConnectionsPerTunnel ?? before.MaxConnectionsPerTunnel,
        MaxPendingHandshakes = given.MaxPendingHandshakes ?? before.MaxPendingHandshakes,
        SilenceLimit = given.SilenceLimit ?? before.SilenceLimit,
        ClockWindow = given.ClockWindow ?? before.ClockWindow,
    };

    private bool TryRead(IGatewaySettings given, TunnelHttpOptions before, out TunnelHttpOptions http)
    {
        bool good = TryReadEach(given.TrustedProxy, SourceNetwork.Parse, "InvalidSource", out List<SourceNetwork> trusted);
        good &= TryReadCredentials(given.Credential, before.Credentials, out IReadOnlyList<ProxyCredential> users);
        AccessLogOptions? log = null;
        bool isLogged = IsGiven(nameof(given.AccessLog)) ? !string.IsNullOrEmpty(given.AccessLog) : before.AccessLog is not null;
        bool isDescribed = given.AccessLogFormat is not null || given.AccessLogSize is not null || given.AccessLogCount is not null;
        if (isLogged || isDescribed) good &= TryRead(() => ReadLog(given, isLogged ? before.AccessLog : null), "InvalidAccessLog", given.AccessLog, out log);
        http = before with
        {
            AnswerTimeout = given.AnswerTimeout ?? before.AnswerTimeout,
            KeepAliveTimeout = given.KeepAliveTimeout ?? before.KeepAliveTimeout,
            ServiceKeepAliveTimeout = given.ServiceKeepAliveTimeout ?? before.ServiceKeepAliveTimeout,
            MaxIdleConnections = given.MaxIdleConnections ?? before.MaxIdleConnections,
            MaxRequestBody = given.MaxRequestBody ?? before.MaxRequestBody,
            RequestRate = given.RequestRate ?? before.RequestRate,
            ClientRequestRate = given.ClientRequestRate ?? before.ClientRequestRate,
            RequestBurst = given.RequestBurst ?? before.RequestBurst,
            Credentials = users,
            TrustedProxies = ListOf(nameof(given.TrustedProxy), trusted, before.TrustedProxies),
            AccessLog = log,
        };
        return good;
    }

    private AccessLogOptions ReadLog(IGatewaySettings given, AccessLogOptions? before)
    {
        string path = PathOf(given.AccessLog) ?? before?.Path
            ?? throw new FormatException("-AccessLogFormat, -AccessLogSize and -AccessLogCount are for a log, and there is none: give -AccessLog.");
        if (!Directory.Exists(Path.GetDirectoryName(path))) throw new FormatException($"The folder of the access log '{path}' does not exist.");
        AccessLogOptions log = (before ?? new AccessLogOptions { Path = path }) with { Path = path };
        return log with
        {
            Format = given.AccessLogFormat ?? log.Format,
            MaxLength = given.AccessLogSize ?? log.MaxLength,
            KeptFiles = given.AccessLogCount ?? log.KeptFiles,
        };
    }
}
