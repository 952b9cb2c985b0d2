using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Proves on a stripe that an end knows the pipe's key, without telling it: HMAC-SHA256 (RFC 2104) over a label, the near end's hello and the far end's nonce, under
/// a key derived from the shared one (HKDF, RFC 5869). Each nonce is fresh, so that nothing heard on one stripe opens another. Without a key both ends use zeros, which
/// proves nothing.
/// </summary>
internal sealed class StripeProof
{
    public const int Length = 32;

    private readonly byte[] _secret;

    public StripeProof(ProxyKey? key) =>
        _secret = HKDF.DeriveKey(HashAlgorithmName.SHA256, key is null ? new byte[ProxyKey.Length] : key.Secret.ToArray(), Length, salt: [], info: "proxyshell striping v1"u8.ToArray());

    public byte[] OfFar(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> nonce) => Make("far"u8, hello, nonce);

    public byte[] OfNear(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> nonce) => Make("near"u8, hello, nonce);

    public static bool Matches(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> expected) => CryptographicOperations.FixedTimeEquals(proof, expected);

    private byte[] Make(ReadOnlySpan<byte> label, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> nonce)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _secret);
        hash.AppendData(label);
        hash.AppendData(hello);
        hash.AppendData(nonce);
        return hash.GetHashAndReset();
    }
}
