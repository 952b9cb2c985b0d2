namespace ProxyShell.Engine.Tunnels;

/// <summary>A registered tunnel of a gateway, as it was at one moment.</summary>
public sealed record TunnelInfo
{
    /// <summary>The name of the gateway, which is also the name of its job.</summary>
    public required string Gateway { get; init; }

    /// <summary>What visitors find it by: the host name, or <c>tcp:port</c>, <c>udp:port</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What the public side offers.</summary>
    public required TunnelKind Kind { get; init; }

    /// <summary>The public address.</summary>
    public required string Url { get; init; }

    /// <summary>The address that the agent dialled from.</summary>
    public required string Agent { get; init; }

    /// <summary>The thumbprint of the agent's key.</summary>
    public required string Thumbprint { get; init; }

    /// <summary>Where the agent leads visitors, in its own words.</summary>
    public required string Destination { get; init; }

    /// <summary>When it registered.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Whether the agent has asked for no new work.</summary>
    public required bool IsDraining { get; init; }

    /// <summary>Public connections and requests under way.</summary>
    public required int Connections { get; init; }

    /// <summary>Public connections and requests so far.</summary>
    public required long TotalConnections { get; init; }

    /// <summary>Bytes towards the service.</summary>
    public required long BytesSent { get; init; }

    /// <summary>Bytes from the service.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>The round trip to the agent; null as long as it is not known.</summary>
    public required TimeSpan? RoundTrip { get; init; }

    /// <summary>The session of its agent.</summary>
    internal GatewaySession? Session { get; init; }

    /// <summary>Ends this tunnel at once, and tells its agent, which comes back slowly if nobody stops it. Does nothing when it has ended.</summary>
    public Task KickAsync() => Session?.KickAsync() ?? Task.CompletedTask;
}
