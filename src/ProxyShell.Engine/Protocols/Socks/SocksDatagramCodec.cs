using System.Net;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>
/// The header before each datagram between client and relay: RSV (2 bytes) FRAG (1) and the address of the other end. RFC 1928 §7.
/// Fragments are not taken: "an implementation that does not support fragmentation MUST drop any datagram whose FRAG field is other than X'00'".
/// </summary>
internal static class SocksDatagramCodec
{
    public const int MaxHeaderLength = AddressStart + SocksAddressCodec.MaxLength;

    private const int AddressStart = 3;

    /// <summary>Finds where the payload begins; false with the fault when the datagram is to be dropped.</summary>
    public static bool TryMeasure(ReadOnlySpan<byte> datagram, out int headerLength, out string fault)
    {
        (headerLength, fault) = (0, "");
        if (datagram.Length <= AddressStart) fault = "the header is cut short";
        else if (datagram[2] != 0) fault = "fragments are not supported";
        else
        {
            HeaderStatus status = SocksAddressCodec.Measure(datagram[AddressStart..], out int addressLength);
            headerLength = AddressStart + addressLength;
            if (status == HeaderStatus.Incomplete) fault = "the header is cut short";
            else if (status == HeaderStatus.Invalid) fault = $"address type {datagram[AddressStart]} is not known";
        }
        return fault.Length == 0;
    }

    /// <summary>The address in a whole header; null when it is no valid name, with the fault.</summary>
    public static HostEndpoint? ReadAddress(ReadOnlySpan<byte> header, out string fault) => SocksAddressCodec.Read(header[AddressStart..], out fault);

    /// <summary>Writes the header; returns its length.</summary>
    /// <exception cref="FormatException">The name is too long.</exception>
    public static int Write(Span<byte> output, HostEndpoint address)
    {
        SpanWriter writer = Begin(output);
        SocksAddressCodec.Write(ref writer, address);
        return writer.Length;
    }

    /// <summary>Writes the header for a datagram from this address; returns its length.</summary>
    public static int Write(Span<byte> output, IPEndPoint source)
    {
        SpanWriter writer = Begin(output);
        SocksAddressCodec.Write(ref writer, source);
        return writer.Length;
    }

    private static SpanWriter Begin(Span<byte> output)
    {
        var writer = new SpanWriter(output);
        writer.UInt16(0);
        writer.Byte(0);
        return writer;
    }
}
