namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>What an agent signs: for whom, when, and what it wants.</summary>
internal sealed record RegistrationClaims
{
    /// <summary>The nonce of the gateway's challenge.</summary>
    public string? Challenge { get; init; }

    /// <summary>A nonce of the agent's own.</summary>
    public string? Nonce { get; init; }

    /// <summary>The agent's time in seconds since 1970 (UTC).</summary>
    public long Time { get; init; }

    /// <summary>The gateway's domain, as its challenge said.</summary>
    public string? Gateway { get; init; }

    /// <summary>SHA-256 of the certificate that the agent saw, in base64url; left out without TLS.</summary>
    public string? Certificate { get; init; }

    /// <summary>Proof that the agent has the token, in base64url.</summary>
    public string? TokenProof { get; init; }

    /// <summary>What the agent wants.</summary>
    public TunnelRequest? Tunnel { get; init; }
}
