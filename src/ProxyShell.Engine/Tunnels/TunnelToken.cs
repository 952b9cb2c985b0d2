using System.Security.Cryptography;
using System.Text;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A secret that a gateway's agents share with it; never shown.</summary>
public sealed class TunnelToken : IEquatable<TunnelToken>
{
    /// <summary>The longest token, in bytes of UTF-8.</summary>
    public const int MaxLength = 1024;

    private readonly byte[] _secret;

    /// <summary>Makes a token of its text.</summary>
    /// <exception cref="FormatException">It is empty or longer than 1,024 bytes of UTF-8.</exception>
    public TunnelToken(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        _secret = Encoding.UTF8.GetBytes(secret);
        if (_secret.Length is 0 or > MaxLength) throw new FormatException($"A token has 1 to {MaxLength} bytes, not {_secret.Length}.");
    }

    /// <inheritdoc />
    public bool Equals(TunnelToken? other) => other is not null && CryptographicOperations.FixedTimeEquals(_secret, other._secret);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as TunnelToken);

    /// <inheritdoc />
    public override int GetHashCode() => 0;

    /// <summary>Never the secret.</summary>
    public override string ToString() => "token";

    /// <summary>Shows that one has the token without showing it.</summary>
    internal byte[] Prove(ReadOnlySpan<byte> challenge) => HMACSHA256.HashData(_secret, challenge);

    /// <summary>Whether a proof is that of this token; takes the same time whatever is wrong with it.</summary>
    internal bool Verify(ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> proof) => CryptographicOperations.FixedTimeEquals(Prove(challenge), proof);
}
