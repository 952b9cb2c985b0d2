using System.Buffers.Binary;

namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>
/// How versions 1 and 2 begin: each side sends 16 random bytes, and whose are larger takes the odd channel numbers. Version 1: magic (4 bytes),
/// random (16). Version 2, in MessagePack: <c>[[2, 0], random]</c>. Version 3 begins with its first frame.
/// </summary>
internal static class SessionHandshake
{
    public const int RandomLength = 16;

    /// <summary>The longest handshake that is read: as with frames, later versions may append.</summary>
    public const int MaxLength = 256;

    private const int Major = 2;

    private static ReadOnlySpan<byte> Magic => [0x2F, 0xDF, 0x1D, 0x50];

    /// <summary>What this side sends; empty in version 3.</summary>
    public static byte[] Write(MultiplexingVersion version, ReadOnlySpan<byte> random)
    {
        if (version == MultiplexingVersion.V1) return [.. Magic, .. random];
        if (version == MultiplexingVersion.V3) return [];
        Span<byte> output = stackalloc byte[32];
        var writer = new MsgPackWriter(output);
        writer.Array(2);
        writer.Array(2);
        writer.Integer(Major);
        writer.Integer(0);
        writer.Binary(random);
        return output[..writer.Length].ToArray();
    }

    /// <summary>Reads what the other side sent in version 1 or 2; the fault says what is wrong with it.</summary>
    public static HeaderStatus Read(MultiplexingVersion version, ReadOnlySpan<byte> bytes, out int length, out UInt128 random, out string fault) =>
        version == MultiplexingVersion.V1 ? ReadV1(bytes, out length, out random, out fault) : ReadV2(bytes, out length, out random, out fault);

    private static HeaderStatus ReadV1(ReadOnlySpan<byte> bytes, out int length, out UInt128 random, out string fault)
    {
        (length, random, fault) = (Magic.Length + RandomLength, 0, "");
        int known = Math.Min(bytes.Length, Magic.Length);
        if (!bytes[..known].SequenceEqual(Magic[..known])) return Invalid("does not begin with the multiplexing protocol's version 1", out fault);
        if (bytes.Length < length) return HeaderStatus.Incomplete;
        random = Number(bytes[Magic.Length..length]);
        return HeaderStatus.Complete;
    }

    private static HeaderStatus ReadV2(ReadOnlySpan<byte> bytes, out int length, out UInt128 random, out string fault)
    {
        (length, random, fault) = (0, 0, "");
        var reader = new MsgPackReader(bytes);
        long items = reader.Array(), parts = reader.Array(), major = reader.Integer();
        reader.Integer();
        reader.Skip(parts - 2);
        ReadOnlySpan<byte> sent = reader.Binary();
        reader.Skip(items - 2);
        if (reader.Needed > MaxLength) return Invalid("sent a handshake that is too long", out fault);
        if (reader.Status == HeaderStatus.Incomplete) return HeaderStatus.Incomplete;
        if (reader.Status == HeaderStatus.Invalid || items < 2 || parts < 2 || sent.Length != RandomLength)
            return Invalid("does not begin with the multiplexing protocol's version 2", out fault);
        if (major != Major) return Invalid($"speaks version {major} of the multiplexing protocol, not {Major}", out fault);
        (length, random) = (reader.Position, Number(sent));
        return HeaderStatus.Complete;
    }

    /// <summary>16 bytes as an unsigned number, the first byte the most significant.</summary>
    public static UInt128 Number(ReadOnlySpan<byte> random) => BinaryPrimitives.ReadUInt128BigEndian(random);

    private static HeaderStatus Invalid(string why, out string fault)
    {
        fault = why;
        return HeaderStatus.Invalid;
    }
}
