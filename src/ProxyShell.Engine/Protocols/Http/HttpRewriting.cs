using System.Buffers.Text;
using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// Writes heads as an intermediary passes them on (RFC 9110 §7.6): in its own version, without the fields that concern one connection
/// only or that Connection names. The rest keeps its order and spelling.
/// </summary>
internal abstract class HttpRewriting
{
    // status or request line, Host, Via, Connection, Upgrade, TE
    private const int MaxAdded = 320;

    /// <summary>An upper bound of the length of what is written of a request.</summary>
    public virtual int MaxLength(HttpRequestHead head) => (2 * head.Length) + MaxAdded;

    /// <summary>An upper bound of the length of what is written of a response.</summary>
    public static int MaxLength(HttpResponseHead head) => (2 * head.Length) + MaxAdded;

    /// <summary>Writes a request as the origin wants it (RFC 9112 §3.2.1).</summary>
    public int Write(Span<byte> output, HttpRequestHead head)
    {
        var writer = new HttpHeadWriter(output);
        writer.Add(head.Method);
        writer.Add(" "u8);
        // RFC 9112 §3.2.4: OPTIONS about a whole server has no path
        if (head.Path.IsEmpty) writer.Add(head.Method == "OPTIONS" ? "*"u8 : "/"u8);
        else if (head.Path[0] == '?') writer.Add("/"u8);
        writer.Add(head.Path);
        writer.Add(" HTTP/1.1\r\n"u8);
        AddHost(ref writer, head);
        AddFields(ref writer, head.Fields, head.Body.Kind, ofRequest: true, head.Method is "OPTIONS" or "TRACE");
        AddOwn(ref writer, head);
        AddVia(ref writer, head.Minor);
        bool trailers = head.Fields.Lists(HttpFieldKind.Te, "trailers"u8);
        if (trailers) writer.Field("TE"u8, "trailers"u8);
        if (head.WantsWebSocket) writer.Field("Upgrade"u8, "websocket"u8);
        ReadOnlySpan<byte> options = (head.WantsWebSocket, trailers, KeepsUpstream || head.KeepsAlive) switch
        {
            (true, true, _) => "Upgrade, TE"u8,
            (true, false, _) => "Upgrade"u8,
            (_, true, true) => "TE"u8,
            (_, true, false) => "TE, close"u8,
            (_, _, false) => "close"u8,
            _ => default,
        };
        if (!options.IsEmpty) writer.Field("Connection"u8, options);
        writer.Add("\r\n"u8);
        return writer.Length;
    }

    /// <summary>Writes a response for a client; <paramref name="body"/> is the framing that it gets.</summary>
    public int Write(Span<byte> output, HttpResponseHead head, HttpBodyKind body, bool closes)
    {
        var writer = new HttpHeadWriter(output);
        writer.Add("HTTP/1.1 "u8);
        writer.Add(head.Status);
        writer.Add(" "u8);
        writer.Add(head.Reason);
        writer.Add("\r\n"u8);
        // a response to HEAD and a 304 tell what the body would have been; 1xx and 204 must not (RFC 9110 §8.6)
        bool tellsLength = head.Status is >= 200 and not 204;
        AddFields(ref writer, head.Fields, body, ofRequest: false, tellsLength: tellsLength);
        if (TellsWay) AddVia(ref writer, head.Minor);
        if (head.Status == 101)
        {
            writer.Field("Upgrade"u8, "websocket"u8);
            writer.Field("Connection"u8, "Upgrade"u8);
        }
        else if (closes && !head.IsInterim)
        {
            writer.Field("Connection"u8, "close"u8);
        }
        writer.Add("\r\n"u8);
        return writer.Length;
    }

    /// <summary>Whether the connection to the origin is used on, whatever the client means to do with its own.</summary>
    protected abstract bool KeepsUpstream { get; }

    /// <summary>Whether responses tell of this intermediary in Via.</summary>
    protected abstract bool TellsWay { get; }

    /// <summary>Writes Host, which comes first.</summary>
    protected abstract void AddHost(ref HttpHeadWriter writer, HttpRequestHead head);

    /// <summary>Whether a field of a request is left out.</summary>
    protected virtual bool Drops(HttpFieldKind kind) => false;

    /// <summary>Writes the fields that this intermediary adds to a request.</summary>
    protected virtual void AddOwn(ref HttpHeadWriter writer, HttpRequestHead head)
    {
        // none
    }

    private void AddFields(ref HttpHeadWriter writer, HttpFields fields, HttpBodyKind body, bool ofRequest, bool decrementsMaxForwards = false, bool tellsLength = true)
    {
        bool hasOptions = fields.Find(HttpFieldKind.Connection) >= 0;
        for (int i = 0; i < fields.Count; i++)
        {
            switch (fields.Kind(i))
            {
                case HttpFieldKind.Connection or HttpFieldKind.HopByHop or HttpFieldKind.Host or HttpFieldKind.Te or HttpFieldKind.Upgrade or HttpFieldKind.ProxyAuthorization:
                case HttpFieldKind.TransferEncoding when body != HttpBodyKind.Chunked:
                case HttpFieldKind.ContentLength when !tellsLength:
                case var dropped when ofRequest && Drops(dropped):
                    break;
                case HttpFieldKind.TransferEncoding:
                    writer.Field(fields.Name(i), "chunked"u8);
                    break;
                case HttpFieldKind.MaxForwards when decrementsMaxForwards:
                    writer.Field(fields.Name(i), Decremented(fields.Value(i)));
                    break;
                // what frames the body is for everybody, whatever Connection says
                case HttpFieldKind.ContentLength:
                case var _ when !hasOptions || !fields.Lists(HttpFieldKind.Connection, fields.Name(i)):
                    writer.Field(fields.Name(i), fields.Value(i));
                    break;
            }
        }
    }

    private static void AddVia(ref HttpHeadWriter writer, int minor) => writer.Add(minor == 1 ? "Via: 1.1 proxyshell\r\n"u8 : "Via: 1.0 proxyshell\r\n"u8);

    // RFC 9110 §7.6.2; a request with 0 is not passed on
    private static string Decremented(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out uint hops, out int used) && used == value.Length && hops > 0
            ? (hops - 1).ToString(System.Globalization.CultureInfo.InvariantCulture)
            : Encoding.ASCII.GetString(value);
}
