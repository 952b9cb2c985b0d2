namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>What the name of a channel tells the agent about the public connection.</summary>
internal sealed record VisitorHeader
{
    /// <summary>The client's address and port, or left out.</summary>
    public string? Client { get; init; }

    /// <summary>The address and port of the gateway that it connected to, or left out.</summary>
    public string? Gateway { get; init; }

    /// <summary>http, https, tls, tcp or udp.</summary>
    public string? Scheme { get; init; }

    /// <summary>The public host name that it asked for, or left out.</summary>
    public string? Host { get; init; }
}
