using System.Text.Json;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
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
        ProxyServerOptions options = (ProxyServerOptions)ReadCommon(section, defaults) with
        {
            Keys = ReadKeys(section, "keys"),
            PayloadKeys = ReadKeys(section, "payloadKeys"),
            AllowDestination = ReadPatterns(section, "allowDestination"),
            DenyDestination = ReadPatterns(section, "denyDestination"),
            Chain = ChainReader.Read(section),
            ClockWindow = section.Time("clockWindow") ?? defaults.ClockWindow,
        };
        return Checked(section, options);
    }

    public static AccessListenerOptions ReadAccessListener(ConfigurationSection section, string defaultName)
    {
        string destination = section.Text("destination") ?? throw section.Source.Fault(section.Path, "has no destination; give one as \"host:port\".");
        HostEndpoint endpoint = section.Source.Locate(section.At("destination"), () => HostEndpoint.Parse(destination));
        ServiceOptions options = ReadCommon(section, new AccessListenerOptions { Name = defaultName, Destination = endpoint });
        return Checked(section, (AccessListenerOptions)options with { Chain = ChainReader.Read(section) });
    }

    private static ServiceOptions ReadCommon(ConfigurationSection section, ServiceOptions defaults) => defaults with
    {
        Name = section.Text("name") is { Length: > 0 } name ? name : defaults.Name,
        LocalAddress = section.Text("localAddress") ?? defaults.LocalAddress,
        LocalPort = section.Integer("localPort") ?? defaults.LocalPort,
        Certificate = CertificateReader.Read(section, "certificate"),
        MaxConnections = section.Integer("maxConnections") ?? defaults.MaxConnections,
        HandshakeTimeout = section.Time("handshakeTimeout") ?? defaults.HandshakeTimeout,
        ConnectTimeout = section.Time("connectTimeout") ?? defaults.ConnectTimeout,
        IdleTimeout = section.Time("idleTimeout") ?? defaults.IdleTimeout,
        StopTimeout = section.Time("stopTimeout") ?? defaults.StopTimeout,
        EventCapacity = section.Integer("eventCapacity") ?? defaults.EventCapacity,
        AllowAnonymous = section.Flag("allowAnonymous") ?? defaults.AllowAnonymous,
    };

    private static T Checked<T>(ConfigurationSection section, T options)
        where T : ServiceOptions
    {
        section.RejectUnknown();
        return section.Source.Locate(section.Path, () =>
        {
            options.Validate();
            return options;
        });
    }

    private static IReadOnlyList<ProxyKey> ReadKeys(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Key(item.Path, item.Text))];

    private static IReadOnlyList<DestinationPattern> ReadPatterns(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Locate(item.Path, () => DestinationPattern.Parse(item.Text)))];
}
