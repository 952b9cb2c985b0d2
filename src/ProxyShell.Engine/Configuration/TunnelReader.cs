using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads gateways of tunnels, and the agents that publish services on them; what the file does not say keeps the option's own default.</summary>
internal static class TunnelReader
{
    public static TunnelGatewayOptions ReadGateway(ConfigurationSection section, string defaultName)
    {
        var defaults = new TunnelGatewayOptions { Name = defaultName };
        TunnelGatewayOptions options = (TunnelGatewayOptions)ServiceReader.ReadCommon(section, defaults) with
        {
            PublicAddress = section.Text("publicAddress"),
            HttpPort = section.Integer("httpPort"),
            HttpsPort = section.Integer("httpsPort"),
            Domain = section.Text("domain") ?? defaults.Domain,
            HostNamePool = [.. section.Texts("hostNamePool").Select(item => item.Text)],
            TcpPorts = PortReader.Read(section, "tcpPorts"),
            UdpPorts = PortReader.Read(section, "udpPorts"),
            AuthorizedKeys = ReadKeys(section),
            AuthorizedKeysFile = ReadPath(section, "authorizedKeysFile"),
            Token = ReadToken(section),
            StateFile = ReadPath(section, "stateFile"),
            Lease = section.Time("lease") ?? defaults.Lease,
            MaxAgents = section.Integer("maxAgents") ?? defaults.MaxAgents,
            MaxTunnelsPerKey = section.Integer("maxTunnelsPerKey") ?? defaults.MaxTunnelsPerKey,
            MaxNamesPerKey = section.Integer("maxNamesPerKey") ?? defaults.MaxNamesPerKey,
            MaxConnectionsPerTunnel = section.Integer("maxConnectionsPerTunnel") ?? defaults.MaxConnectionsPerTunnel,
            MaxPendingHandshakes = section.Integer("maxPendingHandshakes") ?? defaults.MaxPendingHandshakes,
            SilenceLimit = section.Time("silenceLimit") ?? defaults.SilenceLimit,
            ClockWindow = section.Time("clockWindow") ?? defaults.ClockWindow,
            Http = section.Object("http") is { } http ? ReadHttp(http, defaults.Http) : defaults.Http,
        };
        return ServiceReader.Checked(section, options);
    }

    public static TunnelAgentOptions ReadAgent(ConfigurationSection section, string defaultName)
    {
        var needed = new TunnelAgentOptions { Name = defaultName, Gateway = ReadGatewayAddress(section), Destination = ReadDestination(section), Identity = ReadIdentity(section) };
        TunnelAgentOptions options = ReadTimes(section, needed) with
        {
            Name = section.Text("name") is { Length: > 0 } name ? name : defaultName,
            Token = ReadToken(section),
            HostName = section.Text("hostName"),
            SessionName = section.Text("sessionName"),
            RemotePort = section.Integer("remotePort") ?? needed.RemotePort,
            Chain = ChainReader.Read(section),
            Settings = ReadSettings(section),
            SendProxyProtocol = ServiceReader.ReadVersion(section),
            DestinationTrust = section.Text("destinationThumbprint") is { } pin ? section.Source.Locate(section.At("destinationThumbprint"), () => TlsTrust.Pinned(pin)) : needed.DestinationTrust,
            DestinationServerName = section.Text("destinationServerName"),
            MaxConnections = section.Integer("maxConnections") ?? needed.MaxConnections,
            EventCapacity = section.Integer("eventCapacity") ?? needed.EventCapacity,
        };
        section.RejectUnknown();
        return Checked(section, options, options.Validate);
    }

    private static TunnelHttpOptions ReadHttp(ConfigurationSection section, TunnelHttpOptions defaults)
    {
        var options = new TunnelHttpOptions
        {
            AnswerTimeout = section.Time("answerTimeout") ?? defaults.AnswerTimeout,
            KeepAliveTimeout = section.Time("keepAliveTimeout") ?? defaults.KeepAliveTimeout,
            ServiceKeepAliveTimeout = section.Time("serviceKeepAliveTimeout") ?? defaults.ServiceKeepAliveTimeout,
            MaxIdleConnections = section.Integer("maxIdleConnections") ?? defaults.MaxIdleConnections,
            MaxRequestBody = section.LongInteger("maxRequestBody") ?? defaults.MaxRequestBody,
            RequestRate = section.Number("requestRate") ?? defaults.RequestRate,
            ClientRequestRate = section.Number("clientRequestRate") ?? defaults.ClientRequestRate,
            RequestBurst = section.Integer("requestBurst") ?? defaults.RequestBurst,
            Credentials = CredentialReader.ReadAll(section, "credentials"),
            TrustedProxies = ServiceReader.ReadSources(section, "trustedProxies"),
            AccessLog = section.Object("accessLog") is { } log ? ReadAccessLog(log) : defaults.AccessLog,
        };
        section.RejectUnknown();
        return Checked(section, options, options.Validate);
    }

    private static AccessLogOptions ReadAccessLog(ConfigurationSection section)
    {
        var needed = new AccessLogOptions { Path = ReadPath(section, "path") ?? throw section.Source.Fault(section.Path, "has no \"path\".") };
        AccessLogOptions options = needed with
        {
            Format = section.Text("format") is { } format ? section.Source.Locate(section.At("format"), () => ReadFormat(format)) : needed.Format,
            MaxLength = section.LongInteger("maxLength") ?? needed.MaxLength,
            KeptFiles = section.Integer("keptFiles") ?? needed.KeptFiles,
        };
        section.RejectUnknown();
        return Checked(section, options, options.Validate);
    }

    private static AccessLogFormat ReadFormat(string text) => text.ToLowerInvariant() switch
    {
        "json" => AccessLogFormat.Json,
        "combined" => AccessLogFormat.Combined,
        _ => throw new FormatException($"'{text}' is not a format of an access log; json and combined are."),
    };

    private static T Checked<T>(ConfigurationSection section, T options, Action validate) => section.Source.Locate(section.Path, () =>
    {
        validate();
        return options;
    });

    private static TunnelAgentOptions ReadTimes(ConfigurationSection section, TunnelAgentOptions defaults) => defaults with
    {
        ConnectTimeout = section.Time("connectTimeout") ?? defaults.ConnectTimeout,
        GatewayTimeout = section.Time("gatewayTimeout") ?? defaults.GatewayTimeout,
        HandshakeTimeout = section.Time("handshakeTimeout") ?? defaults.HandshakeTimeout,
        SilenceLimit = section.Time("silenceLimit") ?? defaults.SilenceLimit,
        FirstRetry = section.Time("firstRetry") ?? defaults.FirstRetry,
        MaxRetry = section.Time("maxRetry") ?? defaults.MaxRetry,
        RefusedRetry = section.Time("refusedRetry") ?? defaults.RefusedRetry,
        StopTimeout = section.Time("stopTimeout") ?? defaults.StopTimeout,
    };

    // what the gateway is asked to do stands beside the rest; only the limit of connections there is also one here
    private static TunnelSettings ReadSettings(ConfigurationSection section)
    {
        var defaults = new TunnelSettings();
        return new TunnelSettings
        {
            HostHeader = section.Text("hostHeader"),
            MaxRequestBody = section.LongInteger("maxRequestBody") ?? defaults.MaxRequestBody,
            RequestRate = section.Number("requestRate") ?? defaults.RequestRate,
            ClientRequestRate = section.Number("clientRequestRate") ?? defaults.ClientRequestRate,
            MaxConnections = section.Integer("maxPublicConnections") ?? defaults.MaxConnections,
            AllowSource = ServiceReader.ReadSources(section, "allowSource"),
            Credentials = CredentialReader.ReadAll(section, "credentials"),
            OneClientPerChannel = section.Flag("oneClientPerChannel") ?? defaults.OneClientPerChannel,
        };
    }

    private static GatewayAddress ReadGatewayAddress(ConfigurationSection section)
    {
        string text = section.Text("gateway") ?? throw section.Source.Fault(section.Path, "has no \"gateway\", such as tunnels://gateway.example.org:4443.");
        return section.Source.Locate(section.At("gateway"), () => GatewayAddress.Parse(text));
    }

    private static TunnelDestination ReadDestination(ConfigurationSection section)
    {
        string text = section.Text("destination") ?? throw section.Source.Fault(section.Path, "has no \"destination\", the service to publish, such as http://127.0.0.1:8080.");
        return section.Source.Locate(section.At("destination"), () => TunnelDestination.Parse(text));
    }

    private static TunnelIdentity ReadIdentity(ConfigurationSection section)
    {
        string path = ReadPath(section, "identityFile") ?? throw section.Source.Fault(section.Path, "has no \"identityFile\": 'proxyshell new-identity FILE' makes one.");
        return section.Source.Locate(section.At("identityFile"), () => TunnelIdentity.Load(path));
    }

    private static string? ReadPath(ConfigurationSection section, string name) => section.Text(name) switch
    {
        null => null,
        "" => throw section.Source.Fault(section.At(name), "is empty; it must be a path."),
        var path when path.Contains('\0', StringComparison.Ordinal) => throw section.Source.Fault(section.At(name), "holds a character that no path may have."),
        var path => section.Source.Beside(path),
    };

    private static TunnelToken? ReadToken(ConfigurationSection section)
    {
        if (section.Text("token") is not { } text) return null;
        SecretReference reference = section.Source.Secret(section.At("token"), text, "the token");
        return section.Source.Locate(section.At("token"), () => new TunnelToken(reference.Read()));
    }

    // one after another, so that a fault has its place
    private static IReadOnlyList<string> ReadKeys(ConfigurationSection section) => [.. section.Texts("authorizedKeys").Select(item =>
        KeyThumbprint.Parse(item.Text) ?? throw section.Source.Fault(item.Path, $"'{item.Text}' is not the thumbprint of a key: 52 characters of base32, or 43 of base64url."))];
}
