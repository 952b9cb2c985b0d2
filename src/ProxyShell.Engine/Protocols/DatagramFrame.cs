using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// Datagrams in a stream: length (2 bytes, big-endian), then the datagram (RFC 4571). The length 65,535 is followed by a relay response
/// header instead, which tells why there are no more. docs/protocols/relay.md, "Command 4".
/// </summary>
internal static class DatagramFrame
{
    public const int LengthBytes = 2;

    /// <summary>The longest datagram: what UDP carries over IPv6.</summary>
    public const int MaxLength = 65_527;

    /// <summary>The length that announces the reason for the end.</summary>
    public const int EndMark = 65_535;

    public static void WriteLength(Span<byte> output, int length) => BinaryPrimitives.WriteUInt16BigEndian(output, (ushort)length);

    /// <summary>Tells how long the frame is that the bytes begin with, and whether all of it is there; an end mark is complete by itself.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int total)
    {
        total = LengthBytes;
        if (bytes.Length < LengthBytes) return HeaderStatus.Incomplete;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (length == EndMark) return HeaderStatus.Complete;
        if (length > MaxLength) return HeaderStatus.Invalid;
        total += length;
        return bytes.Length < total ? HeaderStatus.Incomplete : HeaderStatus.Complete;
    }

    public static bool IsEndMark(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt16BigEndian(frame) == EndMark;
}
