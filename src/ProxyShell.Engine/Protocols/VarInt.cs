namespace ProxyShell.Engine.Protocols;

/// <summary>Unsigned numbers in as few bytes as they need: 7 bits in each, the lowest first, 0x80 in all but the last (LEB128, DWARF 5 section 7.6).</summary>
internal static class VarInt
{
    /// <summary>The most bytes of a number.</summary>
    public const int MaxLength = 9;

    /// <summary>The largest number: 9 times 7 bits.</summary>
    public const long Max = long.MaxValue;

    /// <summary>Writes a number of 0 to <see cref="Max"/>; returns its length.</summary>
    public static int Write(Span<byte> output, long value)
    {
        int length = 0;
        for (; value > 0x7F; value >>= 7) output[length++] = (byte)(value | 0x80);
        output[length++] = (byte)value;
        return length;
    }

    /// <summary>
    /// Reads a number of at most so many bytes and moves on behind it. Longer than needed is not valid, so that each number has one form only.
    /// </summary>
    public static HeaderStatus Read(ReadOnlySpan<byte> input, scoped ref int position, int maxLength, out long value)
    {
        value = 0;
        for (int i = 0; i < maxLength; i++)
        {
            if (position + i >= input.Length) return HeaderStatus.Incomplete;
            byte b = input[position + i];
            value |= (long)(b & 0x7F) << (7 * i);
            if (b >= 0x80) continue;
            if (b == 0 && i > 0) return HeaderStatus.Invalid;
            position += i + 1;
            return HeaderStatus.Complete;
        }
        return HeaderStatus.Invalid;
    }
}
