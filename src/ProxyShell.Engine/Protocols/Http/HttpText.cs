using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>Texts of messages: what may stand in a line of a head, and what strangers' bytes look like in ours.</summary>
internal static class HttpText
{
    /// <summary>The text with everything but visible ASCII and spaces replaced, cut to <paramref name="maxLength"/> characters.</summary>
    public static string Printable(string text, int maxLength = 120)
    {
        if (text.Length > maxLength) text = string.Concat(text.AsSpan(0, maxLength - 1), "~");
        return text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? string.Concat(text.Select(c => c is < ' ' or > '~' ? '?' : c)) : text;
    }

    /// <summary>Bytes from a head, printable and cut.</summary>
    public static string Printable(ReadOnlySpan<byte> bytes, int maxLength = 120) =>
        Printable(Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, maxLength + 1)]), maxLength);
}
