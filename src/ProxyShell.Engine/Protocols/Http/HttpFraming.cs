using System.Buffers.Text;
using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// Reads from the fields how a body is framed (RFC 9112 §6.3). Whatever two parsers could take differently is a fault, in requests and in
/// responses: that is what request smuggling and response splitting live on.
/// </summary>
internal static class HttpFraming
{
    // 18 digits fit a long
    private const int MaxDigits = 18;

    /// <summary>The framing of a request's body.</summary>
    public static HttpBody OfRequest(HttpFields fields, int minor, out HttpFault? fault) =>
        Read(fields, minor, out fault) ?? HttpBody.None;

    /// <summary>The framing of a response's body; <paramref name="hasNone"/> when its status or the request's method says that it has none.</summary>
    public static HttpBody OfResponse(HttpFields fields, int minor, bool hasNone, out HttpFault? fault)
    {
        HttpBody? framed = Read(fields, minor, out fault);
        return hasNone ? HttpBody.None : framed ?? new HttpBody(HttpBodyKind.UntilClose);
    }

    private static HttpBody? Read(HttpFields fields, int minor, out HttpFault? fault)
    {
        int length = fields.Find(HttpFieldKind.ContentLength), coding = fields.Find(HttpFieldKind.TransferEncoding);
        fault = (length >= 0, coding >= 0) switch
        {
            (true, true) => HttpFault.Bad("both Content-Length and Transfer-Encoding are given"),
            (false, true) => minor == 0 ? HttpFault.Bad("Transfer-Encoding is given in HTTP/1.0") : CodingFault(fields),
            (true, false) when fields.Find(HttpFieldKind.ContentLength, length + 1) >= 0 => HttpFault.Bad("Content-Length is given twice"),
            _ => null,
        };
        if (fault is not null) return null;
        if (coding >= 0) return new HttpBody(HttpBodyKind.Chunked);
        if (length < 0) return null;
        if (TryParseLength(fields.Value(length), out long value)) return HttpBody.OfLength(value);
        fault = HttpFault.Bad("Content-Length is not a number");
        return null;
    }

    // only "chunked" itself is served: any other coding would have to be undone by whoever it was applied for, hop by hop
    private static HttpFault? CodingFault(HttpFields fields)
    {
        string? foreign = null;
        int chunked = 0;
        bool isLast = false;
        for (int i = fields.Find(HttpFieldKind.TransferEncoding); i >= 0; i = fields.Find(HttpFieldKind.TransferEncoding, i + 1))
        {
            var list = new HttpList(fields.Value(i));
            while (list.TryNext(out ReadOnlySpan<byte> coding))
            {
                isLast = Ascii.EqualsIgnoreCase(coding, "chunked"u8);
                if (isLast) chunked++;
                else foreign ??= Encoding.Latin1.GetString(coding[..Math.Min(coding.Length, 40)]);
            }
        }
        if (!isLast) return HttpFault.Bad("Transfer-Encoding does not end with chunked");
        if (chunked > 1) return HttpFault.Bad("Transfer-Encoding says chunked twice");
        return foreign is null ? null : new HttpFault(501, $"the transfer coding '{HttpText.Printable(foreign)}' is not served, only chunked is");
    }

    private static bool TryParseLength(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= MaxDigits && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(text, out value, out int used) && used == text.Length;
    }
}
