using System.Buffers.Binary;
using System.Text;

namespace ProxyShell.Engine.Protocols.Tls;

/// <summary>
/// Finds the server name in the first message of a TLS connection without being a party to it. The ClientHello (RFC 8446 §4.1.2) comes in one
/// record or several: <c>22, version (2), length (2), fragment</c> each (§5.1), the fragments together are <c>1, length (3), version (2),
/// random (32), session id &lt;1&gt;, cipher suites &lt;2&gt;, compression &lt;1&gt;, extensions &lt;2&gt;</c>, of which the one with number 0
/// holds the name (RFC 6066 §3). Only the lengths on the way there are looked at: what else may be wrong is for whoever ends the connection.
/// </summary>
internal static class ClientHelloCodec
{
    /// <summary>The first byte of every TLS connection: a handshake record.</summary>
    public const byte FirstByte = 22;

    /// <summary>The most bytes of records that are looked at. With keys for several groups a ClientHello has a few thousand.</summary>
    public const int MaxLength = 32 * 1024;

    private const int RecordFront = 5;
    private const int MaxFragment = 16 * 1024;
    private const int MessageFront = 4;
    private const byte ClientHello = 1;
    private const int FixedFields = 2 + 32;
    private const int ServerName = 0;
    private const int HostName = 0;
    private const int MaxName = 255;

    /// <summary>
    /// Reads the name, without the dot that may end it; empty when the client names none. Invalid when the bytes begin no ClientHello that
    /// could be understood, also when it is too long.
    /// </summary>
    public static HeaderStatus Read(ReadOnlySpan<byte> bytes, out string serverName)
    {
        serverName = "";
        Span<byte> front = stackalloc byte[MessageFront];
        if (!TryJoin(bytes, front, out int length) || (length > 0 && front[0] != ClientHello)) return HeaderStatus.Invalid;
        int whole = length < MessageFront ? int.MaxValue : MessageFront + (int)(BinaryPrimitives.ReadUInt32BigEndian(front) & 0xFF_FFFF);
        if (whole > MaxLength && length >= MessageFront) return HeaderStatus.Invalid;
        if (length < whole) return bytes.Length < MaxLength ? HeaderStatus.Incomplete : HeaderStatus.Invalid;
        byte[] message = new byte[whole];
        TryJoin(bytes, message, out _);
        return TryReadMessage(message.AsSpan(MessageFront), out serverName) ? HeaderStatus.Complete : HeaderStatus.Invalid;
    }

    // puts the fragments together as far as there is room, and says how long they are together; false when these are no such records
    private static bool TryJoin(ReadOnlySpan<byte> bytes, Span<byte> message, out int length)
    {
        length = 0;
        while (!bytes.IsEmpty)
        {
            if (bytes[0] != FirstByte || (bytes.Length > 1 && bytes[1] != 3)) return length >= message.Length && length > MessageFront;
            if (bytes.Length < RecordFront) return true;
            int size = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
            // a record without content is a waste that only an attacker affords
            if (size is 0 or > MaxFragment) return false;
            ReadOnlySpan<byte> fragment = bytes.Slice(RecordFront, Math.Min(size, bytes.Length - RecordFront));
            int room = Math.Max(0, message.Length - length);
            fragment[..Math.Min(fragment.Length, room)].CopyTo(message[(message.Length - room)..]);
            length += fragment.Length;
            bytes = bytes[(RecordFront + fragment.Length)..];
        }
        return true;
    }

    private static bool TryReadMessage(ReadOnlySpan<byte> message, out string serverName)
    {
        serverName = "";
        var reader = new SpanReader(message);
        reader.Bytes(FixedFields);
        reader.Bytes(reader.Byte());
        reader.Bytes(reader.UInt16());
        reader.Bytes(reader.Byte());
        // versions before 1.3 may come without extensions
        if (reader.Failed || reader.Remaining == 0) return !reader.Failed;
        var extensions = new SpanReader(reader.Bytes(reader.UInt16()));
        while (extensions.Remaining > 0)
        {
            int kind = extensions.UInt16();
            ReadOnlySpan<byte> content = extensions.Bytes(extensions.UInt16());
            if (extensions.Failed) return false;
            if (kind == ServerName) return TryReadNames(content, out serverName);
        }
        return !reader.Failed;
    }

    private static bool TryReadNames(ReadOnlySpan<byte> content, out string serverName)
    {
        serverName = "";
        var outer = new SpanReader(content);
        var names = new SpanReader(outer.Bytes(outer.UInt16()));
        while (names.Remaining > 0)
        {
            int kind = names.Byte();
            ReadOnlySpan<byte> name = names.Bytes(names.UInt16());
            if (names.Failed) return false;
            if (kind != HostName) continue;
            if (name.EndsWith("."u8)) name = name[..^1];
            if (name.IsEmpty || name.Length > MaxName || name.ContainsAnyExceptInRange((byte)'!', (byte)'~')) return false;
            serverName = Encoding.ASCII.GetString(name);
            return true;
        }
        return !outer.Failed;
    }
}
