namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The head of a response (RFC 9112 §4): <c>HTTP/1.x SP status SP [reason] CR LF</c>, field lines, an empty line.</summary>
internal sealed class HttpResponseHead
{
    private const int VersionLength = 8;
    private const int StatusEnd = VersionLength + 1 + 3;

    private readonly byte[] _bytes;
    private readonly int _lineLength;

    private HttpResponseHead(byte[] bytes, int lineLength, int status, HttpFields fields, HttpBody body)
    {
        (_bytes, _lineLength, Status, Fields, Body) = (bytes, lineLength, status, fields, body);
        KeepsAlive = Minor == 1 && body.Kind != HttpBodyKind.UntilClose && !fields.Lists(HttpFieldKind.Connection, "close"u8);
    }

    /// <summary>The status, 100 to 999.</summary>
    public int Status { get; }

    /// <summary>The reason phrase; it may be empty.</summary>
    public ReadOnlySpan<byte> Reason => _lineLength > StatusEnd ? _bytes.AsSpan((StatusEnd + 1).._lineLength) : default;

    /// <summary>The minor version, 0 or 1.</summary>
    public int Minor => _bytes[VersionLength - 1] - '0';

    public HttpFields Fields { get; }

    public HttpBody Body { get; }

    /// <summary>100 Continue and its like: the real response is still to come. 101 is none of them: it ends HTTP.</summary>
    public bool IsInterim => Status is < 200 and not 101;

    /// <summary>Whether the connection can carry another request after this response.</summary>
    public bool KeepsAlive { get; }

    /// <summary>Status and reason, printable and cut: <c>403 Forbidden</c>.</summary>
    public string Summary => HttpText.Printable(_bytes.AsSpan((VersionLength + 1).._lineLength));

    /// <summary>An upper bound of the length of the head as it was read.</summary>
    public int Length => _bytes.Length;

    /// <summary>Reads a measured head; a response to HEAD and a 2xx to CONNECT have no body whatever their fields say.</summary>
    public static HttpResponseHead? Read(ReadOnlySpan<byte> measured, string method, out HttpFault? fault)
    {
        byte[] bytes = measured.ToArray();
        int lineLength = measured.IndexOf("\r\n"u8);
        ReadOnlySpan<byte> line = measured[..lineLength];
        int status = ReadStatus(line);
        if (status < 0)
        {
            fault = HttpFault.Bad("the status line is not version, status and reason");
            return null;
        }
        if (HttpFields.Read(bytes, lineLength + 2, ofResponse: true, out fault) is not { } fields) return null;
        // behind a 2xx to CONNECT the tunnel begins, whatever the fields say of a body (RFC 9110 §9.3.6)
        HttpBody body = method == "CONNECT" && status is >= 200 and < 300 ? HttpBody.None : HttpFraming.OfResponse(
            fields, line[VersionLength - 1] - '0', hasNone: method == "HEAD" || status is < 200 or 204 or 304, out fault);
        return fault is null ? new HttpResponseHead(bytes, lineLength, status, fields, body) : null;
    }

    private static int ReadStatus(ReadOnlySpan<byte> line)
    {
        if (line.Length < StatusEnd || !line.StartsWith("HTTP/1."u8) || line[VersionLength - 1] is not ((byte)'0' or (byte)'1') || line[VersionLength] != ' ') return -1;
        // servers that have no reason leave the space out now and then
        if (line.Length > StatusEnd && (line[StatusEnd] != ' ' || line[StatusEnd..].ContainsAnyExcept(HttpChars.FieldValue))) return -1;
        int status = 0;
        foreach (byte b in line[(VersionLength + 1)..StatusEnd])
        {
            if (b is < (byte)'0' or > (byte)'9') return -1;
            status = (status * 10) + b - '0';
        }
        return status >= 100 ? status : -1;
    }
}
