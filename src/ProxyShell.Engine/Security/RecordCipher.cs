using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Seals or opens the records of one direction of a payload: AES-256-GCM, the nonce counts the records from 0, so that a record that is
/// missing, repeated or moved does not open (docs/protocols/relay.md, "Payload").
/// </summary>
internal sealed class RecordCipher : IDisposable
{
    /// <summary>Bytes that sealing adds to a record.</summary>
    public const int TagLength = 16;

    private readonly AesGcm _cipher;
    private readonly byte[] _nonce = new byte[12];
    private ulong _count;

    private RecordCipher(ProxyKey key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label)
    {
        Span<byte> derived = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Secret, derived, salt, label);
        _cipher = new AesGcm(derived, TagLength);
        CryptographicOperations.ZeroMemory(derived);
    }

    /// <summary>For what the client sends.</summary>
    public static RecordCipher FromClient(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp)
    {
        Span<byte> salt = stackalloc byte[24];
        WriteSalt(salt, nonce, timestamp);
        return new RecordCipher(key, salt, "proxyshell payload from client v1"u8);
    }

    /// <summary>For what the last hop sends; its own salt keeps two answers to one request apart.</summary>
    public static RecordCipher FromHop(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp, UInt128 responseSalt)
    {
        Span<byte> salt = stackalloc byte[40];
        WriteSalt(salt, nonce, timestamp);
        BinaryPrimitives.WriteUInt128BigEndian(salt[24..], responseSalt);
        return new RecordCipher(key, salt, "proxyshell payload from hop v1"u8);
    }

    /// <summary>Writes ciphertext and tag.</summary>
    public void Seal(ReadOnlySpan<byte> clear, Span<byte> output, ReadOnlySpan<byte> bound) =>
        _cipher.Encrypt(NextNonce(), clear, output[..clear.Length], output.Slice(clear.Length, TagLength), bound);

    /// <summary>False when the record was not sealed with this key as the next one of its direction.</summary>
    public bool TryOpen(ReadOnlySpan<byte> record, Span<byte> clear, ReadOnlySpan<byte> bound)
    {
        try
        {
            _cipher.Decrypt(NextNonce(), record[..^TagLength], record[^TagLength..], clear[..(record.Length - TagLength)], bound);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();

    private static void WriteSalt(Span<byte> salt, UInt128 nonce, DateTimeOffset timestamp)
    {
        BinaryPrimitives.WriteUInt128BigEndian(salt, nonce);
        BinaryPrimitives.WriteInt64BigEndian(salt[16..], timestamp.ToUnixTimeMilliseconds());
    }

    private byte[] NextNonce()
    {
        BinaryPrimitives.WriteUInt64BigEndian(_nonce.AsSpan(4), _count++);
        return _nonce;
    }
}
