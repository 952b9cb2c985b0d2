namespace ProxyShell.Engine.Tunnels;

/// <summary>What an agent was given: fixed for the life of its registration.</summary>
internal sealed record TunnelGrant
{
    /// <summary>What the public side offers.</summary>
    public required TunnelKind Kind { get; init; }

    /// <summary>What visitors find it by: the host name in lower case, or <c>tcp:port</c>, <c>udp:port</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The public port of a TCP or UDP tunnel; 0 for the others.</summary>
    public int Port { get; init; }

    /// <summary>The public address, for example <c>https://blog.example.org</c>.</summary>
    public required string Url { get; init; }

    /// <summary>Whose it is: the RFC 7638 thumbprint of the key, in lower-case base32.</summary>
    public required string Thumbprint { get; init; }

    /// <summary>Where the agent leads visitors, in its own words, for people only.</summary>
    public string Destination { get; init; } = "";

    /// <summary>The address that the agent dialled from.</summary>
    public string RemoteEndPoint { get; init; } = "";

    /// <summary>What the agent asked for.</summary>
    public TunnelSettings Settings { get; init; } = new();
}
