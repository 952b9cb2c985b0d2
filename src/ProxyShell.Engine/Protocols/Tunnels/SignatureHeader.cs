namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>The header of the signature (RFC 7515 §4).</summary>
internal sealed record SignatureHeader
{
    public const string Algorithm = "ES256";

    public const string Purpose = "proxyshell-tunnel";

    public string? Alg { get; init; }

    public string? Typ { get; init; }

    public SignatureKey? Jwk { get; init; }
}
