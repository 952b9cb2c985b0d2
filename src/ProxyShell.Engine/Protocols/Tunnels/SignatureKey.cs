namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>A public key (RFC 7517, RFC 7518 §6.2).</summary>
internal sealed record SignatureKey
{
    public string? Kty { get; init; }

    public string? Crv { get; init; }

    public string? X { get; init; }

    public string? Y { get; init; }
}
