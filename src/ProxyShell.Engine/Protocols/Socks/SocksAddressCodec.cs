using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>An address with its port: ATYP (1 byte), then IPv4 (4 bytes), IPv6 (16) or a name (length 1, text), then the port (2). RFC 1928 §5.</summary>
internal static class SocksAddressCodec
{
    /// <summary>Type, length, the longest name, port.</summary>
    public const int MaxLength = 1 + 1 + 255 + 2;

    private const byte Ipv4 = 1;
    private const byte Name = 3;
    private const byte Ipv6 = 4;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Finds the length of an address; invalid only when its type is not known.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.IsEmpty) return HeaderStatus.Incomplete;
        switch (bytes[0])
        {
            case Ipv4:
                length = 1 + 4 + 2;
                break;
            case Ipv6:
                length = 1 + 16 + 2;
                break;
            case Name when bytes.Length < 2:
                return HeaderStatus.Incomplete;
            case Name:
                length = 1 + 1 + bytes[1] + 2;
                break;
            default:
                return HeaderStatus.Invalid;
        }
        return bytes.Length < length ? HeaderStatus.Incomplete : HeaderStatus.Complete;
    }

    /// <summary>Reads an address that is whole; null when it is no valid name, with the fault.</summary>
    public static HostEndpoint? Read(ReadOnlySpan<byte> bytes, out string fault)
    {
        fault = "";
        int port = (bytes[^2] << 8) | bytes[^1];
        return bytes[0] == Name ? ReadName(bytes[2..^2], port, out fault) : HostEndpoint.From(new IPEndPoint(new IPAddress(bytes[1..^2]), port));
    }

    /// <summary>Reads a name; null when it is not valid.</summary>
    public static HostEndpoint? ReadName(ReadOnlySpan<byte> name, int port, out string fault)
    {
        try
        {
            fault = "";
            return new HostEndpoint(StrictUtf8.GetString(name), port);
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            fault = e is DecoderFallbackException ? "the name is not UTF-8" : e.Message;
            return null;
        }
    }

    /// <summary>Writes an address; names travel as names.</summary>
    /// <exception cref="FormatException">The name is longer than 255 bytes.</exception>
    public static void Write(ref SpanWriter writer, HostEndpoint endpoint)
    {
        // a scope id (fe80::1%eth0) means something on this machine only, so such an address travels as text
        if (endpoint.Address is { } address && !endpoint.Host.Contains('%', StringComparison.Ordinal))
        {
            Write(ref writer, address, endpoint.Port);
            return;
        }
        int length = StrictUtf8.GetByteCount(endpoint.Host);
        if (length > 255) throw new FormatException($"'{endpoint.Host}' is longer than 255 bytes.");
        writer.Byte(Name);
        writer.Byte((byte)length);
        writer.Bytes(StrictUtf8.GetBytes(endpoint.Host));
        writer.UInt16(endpoint.Port);
    }

    /// <summary>Writes an IP address and port; null is written as 0.0.0.0:0, "not told".</summary>
    public static void Write(ref SpanWriter writer, IPEndPoint? endpoint) => Write(ref writer, endpoint?.Address ?? IPAddress.Any, endpoint?.Port ?? 0);

    private static void Write(ref SpanWriter writer, IPAddress address, int port)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        writer.Byte(address.AddressFamily == AddressFamily.InterNetwork ? Ipv4 : Ipv6);
        writer.Bytes(bytes[..length]);
        writer.UInt16(port);
    }
}
