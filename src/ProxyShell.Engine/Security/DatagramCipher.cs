using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Seals or opens the datagrams of one direction of a flow: number (8 bytes), ciphertext, tag (16). AES-256-GCM; the number is the
/// nonce, so that a datagram that came before does not open again (docs/protocols/relay.md, "Sealed datagrams").
/// </summary>
internal sealed class DatagramCipher : IDisposable
{
    /// <summary>Bytes that sealing adds to a datagram.</summary>
    public const int Overhead = NumberLength + TagLength;

    private const int NumberLength = 8;
    private const int TagLength = PayloadCiphers.TagLength;

    private readonly Lock _gate = new();
    private readonly AesGcm _cipher;
    private readonly DatagramWindow _window = new();
    private ulong _next;
    private bool _disposed;

    private DatagramCipher(AesGcm cipher) => _cipher = cipher;

    /// <summary>For what the client sends.</summary>
    public static DatagramCipher FromClient(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp) =>
        new(PayloadCiphers.FromClient(key, nonce, timestamp, "proxyshell datagrams from client v1"u8));

    /// <summary>For what the last hop sends.</summary>
    public static DatagramCipher FromHop(ProxyKey key, UInt128 nonce, DateTimeOffset timestamp, UInt128 responseSalt) =>
        new(PayloadCiphers.FromHop(key, nonce, timestamp, responseSalt, "proxyshell datagrams from hop v1"u8));

    /// <summary>Writes number, ciphertext and tag; returns their length, or -1 once disposed.</summary>
    public int Seal(ReadOnlySpan<byte> clear, Span<byte> output)
    {
        lock (_gate) return _disposed ? -1 : SealNext(clear, output);
    }

    /// <summary>Opens a datagram; -1 when it was not sealed with this key, or came before or much too late, or once disposed.</summary>
    public int TryOpen(ReadOnlySpan<byte> datagram, Span<byte> clear)
    {
        lock (_gate) return _disposed ? -1 : TryOpenNew(datagram, clear);
    }

    /// <summary>May be called while another thread seals or opens.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _cipher.Dispose();
        }
    }

    private int SealNext(ReadOnlySpan<byte> clear, Span<byte> output)
    {
        Span<byte> nonce = stackalloc byte[12];
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], _next++);
        nonce[4..].CopyTo(output);
        _cipher.Encrypt(nonce, clear, output.Slice(NumberLength, clear.Length), output.Slice(NumberLength + clear.Length, TagLength));
        return clear.Length + Overhead;
    }

    private int TryOpenNew(ReadOnlySpan<byte> datagram, Span<byte> clear)
    {
        int length = datagram.Length - Overhead;
        if (length < 0) return -1;
        Span<byte> nonce = stackalloc byte[12];
        nonce.Clear();
        datagram[..NumberLength].CopyTo(nonce[4..]);
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(datagram);
        if (!_window.IsNew(number)) return -1;
        try
        {
            _cipher.Decrypt(nonce, datagram.Slice(NumberLength, length), datagram[(NumberLength + length)..], clear[..length]);
        }
        catch (AuthenticationTagMismatchException)
        {
            return -1;
        }
        _window.Add(number);
        return length;
    }
}
