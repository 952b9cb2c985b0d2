using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// Version 2: 12 bytes of signature; version 2 and command (0 LOCAL, 1 PROXY) in one byte; family (0 unspecified, 1 IPv4, 2 IPv6, 3 Unix)
/// and kind of socket (0 unspecified, 1 stream, 2 datagram) in one byte; two bytes of length; source and destination address, for IP their
/// ports; then any number of TLVs, of which only the checksum is looked at.
/// </summary>
internal static class ProxyHeaderV2
{
    public const int FrontLength = 16;

    /// <summary>The length of two Unix addresses.</summary>
    public const int UnixLength = 2 * UnixPathLength;

    private const int UnixPathLength = 108;
    private const int MaxPortablePath = 103;
    private const int IPv4Length = 12;
    private const int IPv6Length = 36;
    private const int CommandOffset = 12;
    private const int LengthOffset = 14;
    private const byte Local = 0x20;
    private const byte Proxy = 0x21;
    private const byte IPv4Stream = 0x11;
    private const byte IPv6Stream = 0x21;
    private const byte UnixStream = 0x31;
    private const byte Checksum = 0x03;

    public static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.Length < FrontLength) return HeaderStatus.Incomplete;
        length = FrontLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[LengthOffset..]);
        if (length <= ProxyHeaderCodec.MaxLength) return bytes.Length < length ? HeaderStatus.Incomplete : HeaderStatus.Complete;
        fault = $"its PROXY header has {length} bytes; at most {ProxyHeaderCodec.MaxLength} are read";
        return HeaderStatus.Invalid;
    }

    public static ProxyHeader? Read(ReadOnlySpan<byte> bytes, out string fault)
    {
        (byte command, byte family) = (bytes[CommandOffset], bytes[CommandOffset + 1]);
        fault = "";
        if (command is not (Local or Proxy)) fault = $"its PROXY header has version and command 0x{command:X2} instead of 0x20 or 0x21";
        // what a local header says besides is to be ignored
        else if (command == Local) return ProxyHeader.Unknown;
        else if (family >> 4 > 3 || (family & 0xF) > 2) fault = $"its PROXY header names the unknown address family 0x{family:X2}";
        else if (bytes.Length < FrontLength + AddressLength(family)) fault = "its PROXY header is too short for the addresses it names";
        else if (!CheckExtras(bytes, FrontLength + AddressLength(family), out fault)) return null;
        else return ReadAddresses(bytes[FrontLength..], family);
        return null;
    }

    public static int Write(Span<byte> output, ProxyHeader header)
    {
        var writer = new SpanWriter(output);
        writer.Bytes(Signature);
        writer.Byte(Proxy);
        if (ProxyHeaderAddresses.TryPair(header, out IPEndPoint? source, out IPEndPoint? destination))
            WriteAddresses(ref writer, source, destination);
        else if (header is { TellsAddresses: true, Source: null or UnixDomainSocketEndPoint, Destination: null or UnixDomainSocketEndPoint })
            WriteUnix(ref writer, header.Source, header.Destination);
        else
            WriteFront(ref writer, 0, 0);
        return writer.Length;
    }

    private static int AddressLength(byte family) => (family >> 4) switch { 1 => IPv4Length, 2 => IPv6Length, 3 => UnixLength, _ => 0 };

    private static ProxyHeader ReadAddresses(ReadOnlySpan<byte> bytes, byte family)
    {
        // with an address family but no kind of socket, or the other way round, nothing certain is said
        if (family >> 4 == 0 || (family & 0xF) == 0) return ProxyHeader.Unknown;
        if (family >> 4 == 3) return new ProxyHeader(true, UnixAddress(bytes[..UnixPathLength]), UnixAddress(bytes[UnixPathLength..UnixLength]));
        var reader = new SpanReader(bytes);
        int length = family >> 4 == 1 ? 4 : 16;
        var source = new IPAddress(reader.Bytes(length));
        var destination = new IPAddress(reader.Bytes(length));
        return new ProxyHeader(true, new IPEndPoint(source, reader.UInt16()), new IPEndPoint(destination, reader.UInt16()));
    }

    // a path ends at the first zero; no path, one of Linux's abstract names, or one too long for some systems is a socket without a name
    private static UnixDomainSocketEndPoint? UnixAddress(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        ReadOnlySpan<byte> path = end < 0 ? bytes : bytes[..end];
        bool isName = path.Length is > 0 and <= MaxPortablePath && !path.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E);
        return isName ? new UnixDomainSocketEndPoint(Encoding.ASCII.GetString(path)) : null;
    }

    private static bool CheckExtras(ReadOnlySpan<byte> bytes, int start, out string fault)
    {
        fault = "";
        for (int at = start; at < bytes.Length;)
        {
            int end = at + 3 <= bytes.Length ? at + 3 + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]) : int.MaxValue;
            if (end > bytes.Length) fault = "its PROXY header ends within an extension";
            else if (bytes[at] == Checksum && (end != at + 7 || Crc(bytes, at + 3) != BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 3)..]))) fault = "the checksum of its PROXY header is wrong";
            if (fault.Length > 0) return false;
            at = end;
        }
        return true;
    }

    // CRC-32C (RFC 4960 appendix B) of the header, with zeros in place of the checksum
    private static uint Crc(ReadOnlySpan<byte> bytes, int checksum)
    {
        uint crc = uint.MaxValue;
        for (int i = 0; i < bytes.Length; i++) crc = BitOperations.Crc32C(crc, i >= checksum && i < checksum + 4 ? (byte)0 : bytes[i]);
        return ~crc;
    }

    private static void WriteAddresses(ref SpanWriter writer, IPEndPoint source, IPEndPoint destination)
    {
        bool isIPv4 = source.AddressFamily == AddressFamily.InterNetwork;
        WriteFront(ref writer, isIPv4 ? IPv4Stream : IPv6Stream, isIPv4 ? IPv4Length : IPv6Length);
        writer.Bytes(source.Address.GetAddressBytes());
        writer.Bytes(destination.Address.GetAddressBytes());
        writer.UInt16(source.Port);
        writer.UInt16(destination.Port);
    }

    private static void WriteUnix(ref SpanWriter writer, EndPoint? source, EndPoint? destination)
    {
        WriteFront(ref writer, UnixStream, UnixLength);
        Span<byte> path = stackalloc byte[UnixPathLength];
        foreach (EndPoint? endpoint in (ReadOnlySpan<EndPoint?>)[source, destination])
        {
            path.Clear();
            if (endpoint is not null) Encoding.UTF8.GetBytes(endpoint.ToString(), path);
            writer.Bytes(path);
        }
    }

    private static void WriteFront(ref SpanWriter writer, byte family, int length)
    {
        writer.Byte(family);
        writer.UInt16(length);
    }
}
