using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// The AES-256-GCM ciphers between a client and the last hop of its chain, one for each direction (docs/protocols/relay.md, "Payload" and
/// "Sealed datagrams"). The key is derived from the payload key by HKDF-SHA256, with what the two headers say as salt.
/// </summary>
internal static class PayloadCiphers
{
    /// <summary>Bytes of the tag behind each ciphertext.</summary>
    public const int TagLength = 16;

    private const int RequestSaltLength = 24;

    /// <summary>For what the client sends.</summary>
    public static AesGcm FromClient(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp, ReadOnlySpan<byte> label)
    {
        Span<byte> salt = stackalloc byte[RequestSaltLength];
        WriteSalt(salt, nonce, timestamp);
        return Derive(key, salt, label);
    }

    /// <summary>For what the last hop sends; its own salt keeps two answers to one request apart.</summary>
    public static AesGcm FromHop(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp, UInt128 responseSalt, ReadOnlySpan<byte> label)
    {
        Span<byte> salt = stackalloc byte[RequestSaltLength + 16];
        WriteSalt(salt, nonce, timestamp);
        BinaryPrimitives.WriteUInt128BigEndian(salt[RequestSaltLength..], responseSalt);
        return Derive(key, salt, label);
    }

    private static void WriteSalt(Span<byte> salt, UInt128 nonce, DateTimeOffset timestamp)
    {
        BinaryPrimitives.WriteUInt128BigEndian(salt, nonce);
        BinaryPrimitives.WriteInt64BigEndian(salt[16..], timestamp.ToUnixTimeMilliseconds());
    }

    private static AesGcm Derive(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label)
    {
        Span<byte> derived = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Secret, derived, salt, label);
        var cipher = new AesGcm(derived, TagLength);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }
}
