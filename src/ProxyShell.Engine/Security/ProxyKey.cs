using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// A shared key of 32 random bytes between a client and a proxy server. Its text form is 43 characters of base64url;
/// <see cref="ToString"/> shows only the public id, never the key.
/// </summary>
public sealed class ProxyKey : IEquatable<ProxyKey>
{
    /// <summary>The length of a key in bytes.</summary>
    public const int Length = 32;

    /// <summary>The length of a key id in bytes.</summary>
    public const int IdLength = 8;

    private static readonly byte[] IdLabel = "proxyshell key id v1"u8.ToArray();

    private readonly byte[] _secret;
    private readonly byte[] _id;

    private ProxyKey(byte[] secret)
    {
        _secret = secret;
        _id = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, IdLength, salt: [], info: IdLabel);
        Id = Convert.ToHexStringLower(_id);
    }

    /// <summary>A public name for the key: 16 hexadecimal digits derived from it.</summary>
    public string Id { get; }

    internal ReadOnlySpan<byte> Secret => _secret;

    internal ReadOnlySpan<byte> IdBytes => _id;

    /// <summary>Makes a new random key.</summary>
    public static ProxyKey Create() => new(RandomNumberGenerator.GetBytes(Length));

    /// <summary>Makes a key from its 32 bytes.</summary>
    /// <exception cref="FormatException">Not 32 bytes.</exception>
    public static ProxyKey FromBytes(ReadOnlySpan<byte> secret) =>
        secret.Length == Length
            ? new ProxyKey(secret.ToArray())
            : throw new FormatException($"A key has {Length} bytes, not {secret.Length}.");

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a key; the message does not repeat it.</exception>
    public static ProxyKey Parse(string text) =>
        TryParse(text, out ProxyKey? key)
            ? key
            : throw new FormatException("The key is not valid: it has 43 characters of base64url, as New-ProxyKey makes them.");

    /// <summary>Reads the text form.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ProxyKey? key)
    {
        key = null;
        var secret = new byte[Length];
        string trimmed = (text ?? "").Trim();
        if (trimmed.Length is < 43 or > 44 || !Base64Url.IsValid(trimmed)) return false;
        if (!Base64Url.TryDecodeFromChars(trimmed, secret, out int written) || written != Length) return false;
        key = new ProxyKey(secret);
        return true;
    }

    /// <summary>The text form, which is the secret itself: 43 characters of base64url.</summary>
    public string Reveal() => Base64Url.EncodeToString(_secret);

    /// <inheritdoc />
    public bool Equals(ProxyKey? other) => other is not null && CryptographicOperations.FixedTimeEquals(_secret, other._secret);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ProxyKey);

    /// <inheritdoc />
    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);

    /// <summary>The key's id; never the key.</summary>
    public override string ToString() => $"key {Id}";
}
