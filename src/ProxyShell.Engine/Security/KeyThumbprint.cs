using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ProxyShell.Engine.Security;

/// <summary>
/// The thumbprint of a P-256 key: SHA-256 over its JSON Web Key in the form of RFC 7638 §3, written in lower-case base32 without padding (52
/// characters), as it stands in host names.
/// </summary>
internal static class KeyThumbprint
{
    /// <summary>The length of one coordinate of a point of P-256.</summary>
    public const int CoordinateLength = 32;

    public static byte[] Hash(ECPoint point) => SHA256.HashData(Encoding.ASCII.GetBytes(
        $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}"""));

    public static string Of(ECPoint point) => Base32.Encode(Hash(point));

    /// <summary>
    /// The label of a key's session: SHA-256 over the 32 bytes of the key's thumbprint and the name in UTF-8, in base32; without a name the
    /// thumbprint itself.
    /// </summary>
    public static string SessionLabel(ECPoint point, string sessionName)
    {
        byte[] thumbprint = Hash(point);
        return Base32.Encode(sessionName.Length == 0 ? thumbprint : SHA256.HashData([.. thumbprint, .. Encoding.UTF8.GetBytes(sessionName)]));
    }

    /// <summary>Reads a thumbprint in base32 (52 characters, either case) or base64url (43); null when it is neither.</summary>
    public static string? Parse(string text)
    {
        string lower = text.ToLowerInvariant();
        if (Base32.IsOf(lower, SHA256.HashSizeInBytes)) return lower;
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        bool isWhole = text.Length == 43 && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out int length) && length == bytes.Length;
        return isWhole ? Base32.Encode(bytes) : null;
    }
}
