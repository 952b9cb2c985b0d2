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
    public const int TagLength = PayloadCiphers.TagLength;

    private readonly AesGcm _cipher;
    private readonly byte[] _nonce = new byte[12];
    private ulong _count;

    private RecordCipher(AesGcm cipher) => _cipher = cipher;

    /// <summary>For what the client sends.</summary>
    public static RecordCipher FromClient(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp) =>
        new(PayloadCiphers.FromClient(key, nonce, timestamp, "proxyshell payload from client v1"u8));

    /// <summary>For what the last hop sends.</summary>
    public static RecordCipher FromHop(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp, UInt128 responseSalt) =>
        new(PayloadCiphers.FromHop(key, nonce, timestamp, responseSalt, "proxyshell payload from hop v1"u8));

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

    private byte[] NextNonce()
    {
        BinaryPrimitives.WriteUInt64BigEndian(_nonce.AsSpan(4), _count++);
        return _nonce;
    }
}
