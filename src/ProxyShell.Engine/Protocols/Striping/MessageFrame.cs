using System.Globalization;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>
/// Messages in a stream: length in 1 to 3 bytes (LEB128: 7 bits in each, low ones first, 0x80 says that more follow), then the message. No type and no
/// end mark: the stream's own end is the end. docs/protocols/datagram-framing.md.
/// </summary>
internal static class MessageFrame
{
    /// <summary>The longest message.</summary>
    public const int MaxLength = 512 * 1024;

    /// <summary>The most bytes in which a length is written.</summary>
    public const int MaxLengthBytes = 3;

    private const int BitsPerByte = 7;
    private const byte MoreFollow = 0x80;

    /// <summary>Writes the length of a message; returns how many bytes it took.</summary>
    public static int WriteLength(Span<byte> output, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        int count = 0;
        while (length >= MoreFollow)
        {
            output[count++] = (byte)(length | MoreFollow);
            length >>= BitsPerByte;
        }
        output[count++] = (byte)length;
        return count;
    }

    /// <summary>Reads the length that the bytes begin with, which is in so many of them; the fault says what the sender did.</summary>
    public static HeaderStatus ReadLength(ReadOnlySpan<byte> bytes, out int length, out int lengthBytes, out string fault)
    {
        (length, lengthBytes, fault) = (0, 0, "");
        for (int i = 0; i < bytes.Length; i++)
        {
            if (i == MaxLengthBytes) return Fail($"announced a message of more than {MaxLength:N0} bytes, in a length of more than {MaxLengthBytes}", out fault);
            length |= (bytes[i] & ~MoreFollow) << (BitsPerByte * i);
            if (bytes[i] >= MoreFollow) continue;
            if (i > 0 && bytes[i] == 0) return Fail($"wrote the length {length:N0} in more bytes than it needs", out fault);
            if (length > MaxLength) return Fail($"announced a message of {length:N0} bytes; the longest has {MaxLength:N0}", out fault);
            lengthBytes = i + 1;
            return HeaderStatus.Complete;
        }
        return HeaderStatus.Incomplete;
    }

    private static HeaderStatus Fail(FormattableString why, out string fault)
    {
        fault = why.ToString(CultureInfo.InvariantCulture);
        return HeaderStatus.Invalid;
    }
}
