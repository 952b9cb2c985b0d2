using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads patterns of destinations.</summary>
internal static class PatternReader
{
    public static IReadOnlyList<DestinationPattern> Read(ConfigurationSection section, string name) =>
        [.. section.Texts(name).Select(item => section.Source.Locate(item.Path, () => DestinationPattern.Parse(item.Text)))];
}
