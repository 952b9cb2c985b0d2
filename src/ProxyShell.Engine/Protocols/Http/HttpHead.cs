namespace ProxyShell.Engine.Protocols.Http;

/// <summary>Finds the end of a head (RFC 9112 §2.1): lines that end with CR LF, then an empty one.</summary>
internal static class HttpHead
{
    /// <summary>The most bytes that a head may have, its start line and its last empty line included.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>The most field lines that a head may have.</summary>
    public const int MaxFields = 500;

    /// <summary>
    /// Looks for the end of the head at the start of the bytes. <paramref name="scanned"/> is where the last look at the same bytes ended, 0
    /// at first, so that a head that comes byte by byte is looked at once. A CR without LF or the other way round is never repaired:
    /// two parsers that take it differently see two different messages.
    /// </summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, ref int scanned, out int length)
    {
        length = 0;
        while (true)
        {
            int found = bytes[scanned..].IndexOfAny((byte)'\r', (byte)'\n');
            int at = found < 0 ? bytes.Length : scanned + found;
            scanned = at;
            if (at + 1 >= bytes.Length) return at < bytes.Length && bytes[at] == '\n' ? HeaderStatus.Invalid : HeaderStatus.Incomplete;
            if (bytes[at] != '\r' || bytes[at + 1] != '\n') return HeaderStatus.Invalid;
            if (at == 0) return HeaderStatus.Invalid;
            scanned = at + 2;
            if (bytes[at - 1] != '\n') continue;
            length = scanned;
            return HeaderStatus.Complete;
        }
    }

    /// <summary>How many bytes of empty lines stand before a request; they are ignored (RFC 9112 §2.2).</summary>
    public static int EmptyLines(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        while (bytes[count..].StartsWith("\r\n"u8)) count += 2;
        return count;
    }
}
