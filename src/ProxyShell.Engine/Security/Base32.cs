using System.Buffers;

namespace ProxyShell.Engine.Security;

/// <summary>Base32 (RFC 4648 §6) in lower case and without padding: what may stand in a host name.</summary>
internal static class Base32
{
    private const string Digits = "abcdefghijklmnopqrstuvwxyz234567";

    private static readonly SearchValues<char> All = SearchValues.Create(Digits);

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[((bytes.Length * 8) + 4) / 5];
        int bits = 0, count = 0, at = 0;
        foreach (byte b in bytes)
        {
            bits = (bits << 8) | b;
            for (count += 8; count >= 5; count -= 5) text[at++] = Digits[(bits >> (count - 5)) & 31];
            bits &= (1 << count) - 1;
        }
        if (count > 0) text[at] = Digits[(bits << (5 - count)) & 31];
        return new string(text);
    }

    /// <summary>Whether the text could be what <see cref="Encode"/> makes of so many bytes.</summary>
    public static bool IsOf(ReadOnlySpan<char> text, int byteCount) =>
        text.Length == ((byteCount * 8) + 4) / 5 && !text.ContainsAnyExcept(All);
}
