using System.Net;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>The reply of version 5: VER (1 byte) REP (1) RSV (1) and an address. RFC 1928 §6.</summary>
internal static class Socks5ReplyCodec
{
    public const int MaxLength = AddressStart + SocksAddressCodec.MaxLength;

    private const int AddressStart = 3;

    /// <summary>Writes a reply; returns its length.</summary>
    public static int Write(Span<byte> output, SocksReplyCode code, IPEndPoint? bound)
    {
        var writer = new SpanWriter(output);
        writer.Byte(SocksVersion.Five);
        writer.Byte((byte)code);
        writer.Byte(0);
        SocksAddressCodec.Write(ref writer, bound);
        return writer.Length;
    }

    /// <summary>Measures a reply. A refusal is whole with its code: nothing follows that matters, and some servers send no more.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.Length < 2) return HeaderStatus.Incomplete;
        if (bytes[0] != SocksVersion.Five)
        {
            fault = $"its reply begins with version {bytes[0]}, not {SocksVersion.Five}";
            return HeaderStatus.Invalid;
        }
        length = 2;
        if (CodeOf(bytes) != SocksReplyCode.Succeeded) return HeaderStatus.Complete;
        if (bytes.Length <= AddressStart) return HeaderStatus.Incomplete;
        HeaderStatus status = SocksAddressCodec.Measure(bytes[AddressStart..], out int addressLength);
        length = AddressStart + addressLength;
        if (status == HeaderStatus.Invalid) fault = $"its reply has the unknown address type {bytes[AddressStart]}";
        return status;
    }

    public static SocksReplyCode CodeOf(ReadOnlySpan<byte> reply) => (SocksReplyCode)reply[1];

    /// <summary>The address in a success that is whole; null when it is no valid name.</summary>
    public static HostEndpoint? ReadBound(ReadOnlySpan<byte> reply) => SocksAddressCodec.Read(reply[AddressStart..], out _);
}
