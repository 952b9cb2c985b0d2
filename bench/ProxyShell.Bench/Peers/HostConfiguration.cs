using System.Text.Json;
using System.Text.Json.Serialization;

namespace ProxyShell.Bench.Peers;

/// <summary>The part of the Host's configuration file that the bench uses.</summary>
internal sealed record HostConfiguration(
    IReadOnlyList<HostConfiguration.ProxyServer> ProxyServers,
    IReadOnlyList<HostConfiguration.AccessListener> AccessListeners)
{
    private const string Loopback = "127.0.0.1";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    internal static string HopUri(int port) => $"relay://{Loopback}:{port}";

    internal static string EndPoint(int port) => $"{Loopback}:{port}";

    internal string WriteTo(string directory, string name)
    {
        string file = Path.Combine(directory, name + ".json");
        File.WriteAllText(file, JsonSerializer.Serialize(this, Json));
        return file;
    }

    internal sealed record ProxyServer(string Name, int LocalPort)
    {
        public string LocalAddress { get; } = Loopback;

        public int? MaxConnections { get; init; }
    }

    internal sealed record AccessListener(string Name, int LocalPort, string Destination)
    {
        public string LocalAddress { get; } = Loopback;

        public IReadOnlyList<string>? Chain { get; init; }

        public bool? Udp { get; init; }

        public int MaxConnections { get; init; }
    }
}
