namespace ProxyShell.Engine.Tunnels;

/// <summary>What the desk notes of a registration: a name or a port, and the session behind it.</summary>
internal sealed record TunnelEntry
{
    /// <summary>What visitors find it by.</summary>
    public required string Name { get; init; }

    public required TunnelKind Kind { get; init; }

    /// <summary>The host label, when it has no port.</summary>
    public NameClaim Claim { get; init; }

    /// <summary>The public port, or 0.</summary>
    public int Port { get; init; }

    /// <summary>Whether this changes what has to be remembered.</summary>
    public bool IsNew { get; init; }

    /// <summary>What the agent calls itself; empty for nothing.</summary>
    public string Instance { get; init; } = "";

    public GatewaySession? Session { get; init; }
}
