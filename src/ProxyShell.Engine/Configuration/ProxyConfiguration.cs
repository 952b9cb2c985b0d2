using System.Globalization;
using System.Text.Json;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// The services that a configuration file describes (docs/configuration.md). Reading it finds every fault that can be found
/// without listening; secrets are read from where the file refers to.
/// </summary>
public sealed class ProxyConfiguration
{
    private const int MaxLength = 16 * 1024 * 1024;

    private readonly ConfigurationSource _source;

    private ProxyConfiguration(ConfigurationSource source) => _source = source;

    /// <summary>The proxy servers, in the file's order.</summary>
    public IReadOnlyList<ProxyServerOptions> ProxyServers { get; private init; } = [];

    /// <summary>The access listeners, in the file's order.</summary>
    public IReadOnlyList<AccessListenerOptions> AccessListeners { get; private init; } = [];

    /// <summary>The gateways of tunnels, in the file's order.</summary>
    public IReadOnlyList<TunnelGatewayOptions> TunnelGateways { get; private init; } = [];

    /// <summary>The ends of striped pipes, in the file's order.</summary>
    public IReadOnlyList<StripedPipeOptions> StripedPipes { get; private init; } = [];

    /// <summary>The agents that publish services on gateways, in the file's order.</summary>
    public IReadOnlyList<TunnelAgentOptions> Tunnels { get; private init; } = [];

    /// <summary>Everything that listens, in the order in which it is started.</summary>
    internal IEnumerable<ServiceOptions> Services => [.. ProxyServers, .. AccessListeners, .. TunnelGateways, .. StripedPipes];

    /// <summary>What is unsafe but not wrong, such as a key file that others may read; one sentence each.</summary>
    public IReadOnlyList<string> Warnings => _source.Warnings;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigurationException">The file cannot be read or is not a configuration; the message says what and where.</exception>
    public static ProxyConfiguration Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (Directory.Exists(path)) throw new ConfigurationException(path, "", "is a directory, not a file.");
            if (new FileInfo(path).Length > MaxLength) throw new ConfigurationException(path, "", "is too long for a configuration.");
            return Parse(File.ReadAllText(path), path, Path.GetDirectoryName(Path.GetFullPath(path)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException(path, "", "the file does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(path, "", $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads the text of a configuration.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="directory">Where relative paths start; null for the current directory.</param>
    /// <exception cref="ConfigurationException">The text is not a configuration; the message says what is wrong and where.</exception>
    public static ProxyConfiguration Parse(string json, string name = "configuration", string? directory = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        var source = new ConfigurationSource(name, directory);
        using JsonDocument document = source.Read(json);
        try
        {
            return Read(source, document.RootElement);
        }
        catch (InvalidOperationException e)
        {
            throw source.Fault("", "not valid JSON: it holds characters that are not Unicode.", e);
        }
    }

    /// <summary>Makes the services that listen, proxy servers first; none listens yet. Each call makes new ones.</summary>
    /// <exception cref="ConfigurationException">A service refuses its options.</exception>
    public IReadOnlyList<ListenerService> CreateServices()
    {
        var services = new List<ListenerService>();
        for (int i = 0; i < ProxyServers.Count; i++) services.Add(Create($"$.proxyServers[{Text(i)}]", ProxyServers[i], o => new ProxyServer(o)));
        for (int i = 0; i < AccessListeners.Count; i++) services.Add(Create($"$.accessListeners[{Text(i)}]", AccessListeners[i], o => new AccessListener(o)));
        for (int i = 0; i < TunnelGateways.Count; i++) services.Add(Create($"$.tunnelGateways[{Text(i)}]", TunnelGateways[i], o => new TunnelGateway(o)));
        for (int i = 0; i < StripedPipes.Count; i++) services.Add(Create($"$.stripedPipes[{Text(i)}]", StripedPipes[i], o => o is StripedPipeEntryOptions near ? new StripedPipeEntry(near) : new StripedPipeExit((StripedPipeExitOptions)o)));
        return services;
    }

    private static ProxyConfiguration Read(ConfigurationSource source, JsonElement element)
    {
        var root = new ConfigurationSection(source, "$", element);
        root.TryGet("$schema", out _);
        var configuration = new ProxyConfiguration(source)
        {
            ProxyServers = [.. ReadAll(root, "proxyServers", (section, number) => ServiceReader.ReadProxyServer(section, $"ProxyServer{number}"))],
            AccessListeners = [.. ReadAll(root, "accessListeners", (section, number) => ServiceReader.ReadAccessListener(section, $"AccessListener{number}"))],
            TunnelGateways = [.. ReadAll(root, "tunnelGateways", (section, number) => TunnelReader.ReadGateway(section, $"TunnelGateway{number}"))],
            StripedPipes = [.. ReadAll(root, "stripedPipes", (section, number) => StripedPipeReader.Read(section, $"StripedPipe{number}"))],
            Tunnels = [.. ReadAll(root, "tunnels", (section, number) => TunnelReader.ReadAgent(section, $"Tunnel{number}"))],
        };
        root.RejectUnknown();
        configuration.RejectDoubles();
        _ = configuration.CreateServices();
        return configuration;
    }

    private ListenerService Create<T>(string path, T options, Func<T, ListenerService> make) => _source.Locate(path, () =>
    {
        ListenerService service = make(options);
        service.RefuseStrangers();
        return service;
    });

    private static IEnumerable<T> ReadAll<T>(ConfigurationSection root, string name, Func<ConfigurationSection, string, T> read)
    {
        int number = 0;
        foreach ((string path, JsonElement value) in root.Items(name))
            yield return read(new ConfigurationSection(root.Source, path, value), Text(++number));
    }

    // names are how logs and commands tell services apart
    private void RejectDoubles()
    {
        string[] all = [.. Services.Select(options => options.Name), .. Tunnels.Select(options => options.Name)];
        if (all.Length == 0) throw _source.Fault("$", "holds none of proxyServers, accessListeners, tunnelGateways, stripedPipes and tunnels: there is nothing to run.");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in all)
        {
            if (!names.Add(name)) throw _source.Fault("$", $"the name '{name}' is given to two services.");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
