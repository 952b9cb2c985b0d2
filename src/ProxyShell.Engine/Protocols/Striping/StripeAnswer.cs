using System.Buffers.Binary;
using System.Text;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>
/// What the far end says to a hello and to a proof: 0, or 1 with a refusal: reason (1 byte), length (2, big-endian) and text (UTF-8). docs/protocols/striping.md,
/// "Handshake".
/// </summary>
internal static class StripeAnswer
{
    public const byte Accepted = 0;
    public const byte Refused = 1;

    /// <summary>The length of a refusal's head, behind its first byte.</summary>
    public const int RefusalHead = 3;

    public static byte[] Refuse(ProxyErrorReason reason, string text)
    {
        byte[] words = Encoding.UTF8.GetBytes(text.Length > 200 ? text[..200] : text);
        var bytes = new byte[1 + RefusalHead + words.Length];
        bytes[0] = Refused;
        bytes[1] = (byte)reason;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)words.Length);
        words.CopyTo(bytes, 1 + RefusalHead);
        return bytes;
    }

    /// <summary>Reads a refusal's head; false when its text would be longer than any.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> head, out ProxyErrorReason reason, out int length)
    {
        reason = (ProxyErrorReason)head[0];
        length = BinaryPrimitives.ReadUInt16BigEndian(head[1..]);
        return length <= StripeFrameCodec.MaxWords;
    }
}
