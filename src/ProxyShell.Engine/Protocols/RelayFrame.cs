using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols;

/// <summary>
/// The fixed front of both relay headers: magic (2 bytes), version (1), flags (1), length of what follows (2, big-endian).
/// docs/protocols/relay.md, "Frame".
/// </summary>
internal static class RelayFrame
{
    public const int FrontLength = 6;
    public const int MaxLength = 4096;
    public const byte Version = 1;
    public const byte SealedFlag = 0x01;
    public const byte FirstByte = 0xF1;
    public const byte RequestByte = 0x50;
    public const byte ResponseByte = 0x51;
    public const int NonceLength = 16;

    /// <summary>Tells from the first bytes how long the header is; the fault names the first byte that is wrong.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, byte kind, int minLength, out int total, out string fault)
    {
        (total, fault) = (0, "");
        if (bytes.Length >= 1 && bytes[0] != FirstByte) return Invalid($"the first byte is 0x{bytes[0]:X2}, not 0x{FirstByte:X2}: this is not a relay header", out fault);
        if (bytes.Length >= 2 && bytes[1] != kind) return Invalid($"the second byte is 0x{bytes[1]:X2}, not 0x{kind:X2}", out fault);
        if (bytes.Length >= 3 && bytes[2] != Version) return Invalid($"version {bytes[2]} is not known, only {Version}", out fault);
        if (bytes.Length >= 4 && (bytes[3] & ~SealedFlag) != 0) return Invalid($"flags 0x{bytes[3]:X2} hold unknown bits", out fault);
        if (bytes.Length < FrontLength) return HeaderStatus.Incomplete;
        total = FrontLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (total > MaxLength || total < minLength) return Invalid($"a header of {total} bytes is out of range ({minLength} to {MaxLength})", out fault);
        return bytes.Length < total ? HeaderStatus.Incomplete : HeaderStatus.Complete;
    }

    public static void WriteFront(Span<byte> output, byte kind, bool isSealed, int total)
    {
        output[0] = FirstByte;
        output[1] = kind;
        output[2] = Version;
        output[3] = isSealed ? SealedFlag : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(output[4..], (ushort)(total - FrontLength));
    }

    public static bool IsSealed(ReadOnlySpan<byte> header) => (header[3] & SealedFlag) != 0;

    private static HeaderStatus Invalid(string why, out string fault)
    {
        fault = why;
        return HeaderStatus.Invalid;
    }
}
