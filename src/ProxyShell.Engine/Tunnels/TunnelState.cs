namespace ProxyShell.Engine.Tunnels;

/// <summary>What a gateway remembers beyond its own life: which key has which name and port.</summary>
internal sealed record TunnelState
{
    public int Version { get; init; } = 1;

    /// <summary>Names that were asked for, and the thumbprints of their keys.</summary>
    public Dictionary<string, string> Names { get; init; } = [];

    /// <summary>Names of the pool, and who had them last.</summary>
    public Dictionary<string, string> Pool { get; init; } = [];

    /// <summary>TCP ports, and who had them last.</summary>
    public Dictionary<int, string> Tcp { get; init; } = [];

    /// <summary>UDP ports, and who had them last.</summary>
    public Dictionary<int, string> Udp { get; init; } = [];
}
