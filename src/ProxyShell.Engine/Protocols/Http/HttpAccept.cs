using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>What a client likes to read (RFC 9110 §12.5.1), as far as our own few words go.</summary>
internal static class HttpAccept
{
    /// <summary>Whether JSON is named before any kind of text.</summary>
    public static bool PrefersJson(HttpFields fields)
    {
        for (int i = fields.Find(HttpFieldKind.Accept); i >= 0; i = fields.Find(HttpFieldKind.Accept, i + 1))
        {
            var list = new HttpList(fields.Value(i));
            while (list.TryNext(out ReadOnlySpan<byte> member))
            {
                int end = member.IndexOf((byte)';');
                ReadOnlySpan<byte> type = HttpChars.Trim(end < 0 ? member : member[..end]);
                if (Ascii.EqualsIgnoreCase(type, "application/json"u8) || (type.Length > 5 && Ascii.EqualsIgnoreCase(type[^5..], "+json"u8))) return true;
                if (type.Length > 5 && Ascii.EqualsIgnoreCase(type[..5], "text/"u8)) return false;
            }
        }
        return false;
    }
}
