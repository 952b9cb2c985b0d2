using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Seals one relay header: AES-256-GCM under a key that HKDF-SHA256 derives from the shared key and a salt that is
/// fresh for each header, so that the GCM nonce may be constant (docs/protocols/relay.md, "Sealing").
/// </summary>
internal static class HeaderSealer
{
    /// <summary>Bytes that sealing adds.</summary>
    public const int TagLength = 16;

    private static readonly byte[] Nonce = new byte[12];

    private static ReadOnlySpan<byte> RequestLabel => "proxyshell relay request v1"u8;

    private static ReadOnlySpan<byte> ResponseLabel => "proxyshell relay response v1"u8;

    public static void SealRequest(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> clear, Span<byte> output, ReadOnlySpan<byte> bound) =>
        Seal(key, salt, RequestLabel, clear, output, bound);

    public static bool TryOpenRequest(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> sealedBytes, Span<byte> output, ReadOnlySpan<byte> bound) =>
        TryOpen(key, salt, RequestLabel, sealedBytes, output, bound);

    public static void SealResponse(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> clear, Span<byte> output, ReadOnlySpan<byte> bound) =>
        Seal(key, salt, ResponseLabel, clear, output, bound);

    public static bool TryOpenResponse(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> sealedBytes, Span<byte> output, ReadOnlySpan<byte> bound) =>
        TryOpen(key, salt, ResponseLabel, sealedBytes, output, bound);

    private static void Seal(
        ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> clear, Span<byte> output, ReadOnlySpan<byte> bound)
    {
        using AesGcm cipher = Derive(key, salt, label);
        cipher.Encrypt(Nonce, clear, output[..clear.Length], output.Slice(clear.Length, TagLength), bound);
    }

    private static bool TryOpen(
        ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> sealedBytes, Span<byte> output, ReadOnlySpan<byte> bound)
    {
        if (sealedBytes.Length < TagLength) return false;
        using AesGcm cipher = Derive(key, salt, label);
        int length = sealedBytes.Length - TagLength;
        try
        {
            cipher.Decrypt(Nonce, sealedBytes[..length], sealedBytes[length..], output[..length], bound);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static AesGcm Derive(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label)
    {
        Span<byte> derived = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Secret, derived, salt, label);
        try
        {
            return new AesGcm(derived, TagLength);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }
}
