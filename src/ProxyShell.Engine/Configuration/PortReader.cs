using System.Text.Json;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads ports: numbers, and ranges in quotes.</summary>
internal static class PortReader
{
    public static PortRange[] Read(ConfigurationSection section, string name) => [.. section.Items(name).Select(item => Read(section.Source, item.Path, item.Value))];

    private static PortRange Read(ConfigurationSource source, string path, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number or JsonValueKind.String => source.Locate(path, () => PortRange.Parse(value.ToString())),
        _ => throw source.Fault(path, $"must be a port or a range of ports in quotes, not {ConfigurationSection.Kind(value)}."),
    };
}
