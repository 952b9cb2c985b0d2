using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads the options of one service; what the file does not say keeps the option's own default.</summary>
internal static class ServiceReader
{
    public static ProxyServerOptions ReadProxyServer(ConfigurationSection section, string defaultName)
    {
        var defaults = new ProxyServerOptions { Name = defaultName };
        ProxyServerOptions options = (ProxyServerOptions)ReadRouted(section, defaults) with
        {
            Keys = ReadKeys(section, "keys"),
            PayloadKeys = ReadKeys(section, "payloadKeys"),
            Credentials = CredentialReader.ReadAll(section, "credentials"),
            Protocols = ReadProtocols(section),
            Udp = section.Flag("udp") ?? defaults.Udp,
            AllowDestination = PatternReader.Read(section, "allowDestination"),
            DenyDestination = PatternReader.Read(section, "denyDestination"),
            Chain = ChainReader.Read(section),
            ClockWindow = section.Time("clockWindow") ?? defaults.ClockWindow,
            Sessions = SessionsReader.Read(section, defaults.Sessions),
        };
        return Checked(section, options);
    }

    public static AccessListenerOptions ReadAccessListener(ConfigurationSection section, string defaultName)
    {
        HostEndpoint? destination = section.Text("destination") is { } text ? section.Source.Locate(section.At("destination"), () => HostEndpoint.Parse(text)) : null;
        ServiceOptions options = ReadRouted(section, new AccessListenerOptions { Name = defaultName, Destination = destination });
        return Checked(section, (AccessListenerOptions)options with
        {
            Udp = section.Flag("udp") ?? false,
            SendProxyProtocol = ReadVersion(section),
            Protocols = ReadProtocols(section),
            Credentials = CredentialReader.ReadAll(section, "credentials"),
            Chain = ChainReader.Read(section),
        });
    }

    /// <summary>What every service takes.</summary>
    public static ServiceOptions ReadCommon(ConfigurationSection section, ServiceOptions defaults) => defaults with
    {
        Name = section.Text("name") is { Length: > 0 } name ? name : defaults.Name,
        LocalAddress = section.Text("localAddress") ?? defaults.LocalAddress,
        LocalPort = section.Integer("localPort") ?? defaults.LocalPort,
        Certificates = CertificateReader.ReadServer(section),
        ClientCertificateThumbprints = ReadThumbprints(section),
        ClientCertificateAuthority = CertificateReader.ReadAuthorities(section, "clientCertificateAuthority"),
        MaxConnections = section.Integer("maxConnections") ?? defaults.MaxConnections,
        MaxConnectionsPerClient = section.Integer("maxConnectionsPerClient") ?? defaults.MaxConnectionsPerClient,
        BandwidthLimit = section.LongInteger("bandwidthLimit") ?? defaults.BandwidthLimit,
        ClientBandwidthLimit = section.LongInteger("clientBandwidthLimit") ?? defaults.ClientBandwidthLimit,
        AllowSource = ReadSources(section, "allowSource"),
        DenySource = ReadSources(section, "denySource"),
        AcceptProxyProtocol = section.Flag("acceptProxyProtocol") ?? defaults.AcceptProxyProtocol,
        HandshakeTimeout = section.Time("handshakeTimeout") ?? defaults.HandshakeTimeout,
        ConnectTimeout = section.Time("connectTimeout") ?? defaults.ConnectTimeout,
        IdleTimeout = section.Time("idleTimeout") ?? defaults.IdleTimeout,
        UdpIdleTimeout = section.Time("udpIdleTimeout") ?? defaults.UdpIdleTimeout,
        StopTimeout = section.Time("stopTimeout") ?? defaults.StopTimeout,
        EventCapacity = section.Integer("eventCapacity") ?? defaults.EventCapacity,
        AllowAnonymous = section.Flag("allowAnonymous") ?? defaults.AllowAnonymous,
    };

    /// <summary>Refuses properties that nobody asked for, and values that the options refuse.</summary>
    public static T Checked<T>(ConfigurationSection section, T options)
        where T : ServiceOptions
    {
        section.RejectUnknown();
        return section.Source.Locate(section.Path, () =>
        {
            options.Validate();
            return options;
        });
    }

    /// <summary>Whether and how a destination is told who the client is.</summary>
    public static ProxyHeaderVersion ReadVersion(ConfigurationSection section) =>
        section.Text("sendProxyProtocol") is { } version ? section.Source.Locate(section.At("sendProxyProtocol"), () => ReadVersion(version)) : ProxyHeaderVersion.None;

    public static IReadOnlyList<SourceNetwork> ReadSources(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Locate(item.Path, () => SourceNetwork.Parse(item.Text)))];

    /// <summary>What services take that have rules.</summary>
    public static ServiceOptions ReadRouted(ConfigurationSection section, ServiceOptions defaults) => ReadCommon(section, defaults) with
    {
        Rules = RuleReader.Read(section),
        BlockByDefault = section.Flag("blockByDefault") ?? defaults.BlockByDefault,
    };

    private static IReadOnlyList<ProxyKey> ReadKeys(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Key(item.Path, item.Text))];

    // one after another, so that a fault has its place
    private static IReadOnlyList<string> ReadThumbprints(ConfigurationSection section) =>
        [.. section.Texts("clientCertificateThumbprints").Select(item => section.Source.Locate(item.Path, () => TlsTrust.Pinned(item.Text).Thumbprint!))];

    // null, not empty, when the file does not say: then the secrets decide
    private static ProxyProtocols? ReadProtocols(ConfigurationSection section)
    {
        ProxyProtocols? all = section.TryGet("protocols", out _) ? ProxyProtocols.None : null;
        foreach ((string path, string text) in section.Texts("protocols")) all |= section.Source.Locate(path, () => ReadProtocol(text));
        return all;
    }

    private static ProxyProtocols ReadProtocol(string text) => text.ToLowerInvariant() switch
    {
        "relay" => ProxyProtocols.Relay,
        "socks5" => ProxyProtocols.Socks5,
        "http" => ProxyProtocols.Http,
        _ => throw new FormatException($"'{text}' is not a protocol; relay, socks5 and http are."),
    };

    private static ProxyHeaderVersion ReadVersion(string text) => text.ToLowerInvariant() switch
    {
        "v1" => ProxyHeaderVersion.V1,
        "v2" => ProxyHeaderVersion.V2,
        _ => throw new FormatException($"'{text}' is not a version of the PROXY protocol; v1 and v2 are."),
    };
}
