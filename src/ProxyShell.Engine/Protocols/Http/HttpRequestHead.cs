using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// The head of a request (RFC 9112 §3): <c>method SP target SP HTTP/1.x CR LF</c>, field lines, an empty line. Read strictly: one space
/// between the parts, a method and names that are tokens, a Host exactly once in HTTP/1.1.
/// </summary>
internal sealed class HttpRequestHead
{
    private readonly byte[] _bytes;
    private readonly HttpTarget _target;
    private readonly int _targetStart;

    private HttpRequestHead(byte[] bytes, string method, HttpTarget target, int targetStart, int minor, HttpFields fields, HttpBody body)
    {
        (_bytes, Method, _target, _targetStart, Minor, Fields, Body) = (bytes, method, target, targetStart, minor, fields, body);
        KeepsAlive = minor == 1 && !fields.Lists(HttpFieldKind.Connection, "close"u8);
        // an upgrade behind a body is left out: bytes of two protocols would have to be told apart
        WantsWebSocket = minor == 1 && body.Kind == HttpBodyKind.None && method == "GET"
            && fields.Lists(HttpFieldKind.Connection, "upgrade"u8) && Ascii.EqualsIgnoreCase(fields.Only(HttpFieldKind.Upgrade), "websocket"u8);
    }

    public string Method { get; }

    public HttpTargetForm Form => _target.Form;

    /// <summary>Where the target is, for CONNECT and absolute URIs.</summary>
    public HostEndpoint? Endpoint => _target.Endpoint;

    /// <summary>Host and port as they stand in the target.</summary>
    public ReadOnlySpan<byte> Authority => Target[_target.Authority];

    /// <summary>The host that is asked for, as it stands in the target or else in Host, with its port if it has one; empty when there is none.</summary>
    public ReadOnlySpan<byte> Host => Form == HttpTargetForm.Absolute ? Authority : Fields.Only(HttpFieldKind.Host);

    /// <summary>Path and query as they stand in the target; empty when it has none.</summary>
    public ReadOnlySpan<byte> Path => Target[_target.Path];

    /// <summary>The minor version, 0 or 1.</summary>
    public int Minor { get; }

    public HttpFields Fields { get; }

    public HttpBody Body { get; }

    /// <summary>Whether the client means to send more requests; HTTP/1.0 clients are never kept (RFC 9112 §C.2.2).</summary>
    public bool KeepsAlive { get; }

    /// <summary>Whether it asks to go on as WebSocket (RFC 6455 §4.1).</summary>
    public bool WantsWebSocket { get; }

    /// <summary>Whether the client waits to be told to go on before it sends its body (RFC 9110 §10.1.1).</summary>
    public bool ExpectsContinue => Minor == 1 && Body.Kind != HttpBodyKind.None && Fields.Lists(HttpFieldKind.Expect, "100-continue"u8);

    /// <summary>Whether asking twice is as good as asking once (RFC 9110 §9.2.2).</summary>
    public bool IsIdempotent => Method is "GET" or "HEAD" or "OPTIONS" or "PUT" or "DELETE" or "TRACE";

    /// <summary>Whether it is meant for the first proxy that gets it (RFC 9110 §7.6.2).</summary>
    public bool EndsHere => Method is "OPTIONS" or "TRACE" && Fields.Only(HttpFieldKind.MaxForwards) is [(byte)'0'];

    /// <summary>An upper bound of the length of the head as it was read.</summary>
    public int Length => _bytes.Length;

    private ReadOnlySpan<byte> Target => _bytes.AsSpan(_targetStart);

    /// <summary>Reads a measured head.</summary>
    public static HttpRequestHead? Read(ReadOnlySpan<byte> measured, out HttpFault? fault, HttpRole role = HttpRole.Proxy)
    {
        byte[] bytes = measured.ToArray();
        int lineLength = measured.IndexOf("\r\n"u8);
        ReadOnlySpan<byte> line = measured[..lineLength];
        int methodEnd = line.IndexOf((byte)' '), targetEnd = line.LastIndexOf((byte)' ');
        fault = methodEnd == targetEnd ? HttpFault.Bad("the request line is not method, target and version")
            : !HttpChars.IsToken(line[..methodEnd]) ? HttpFault.Bad("the method is not a token")
            : VersionFault(line[(targetEnd + 1)..]);
        if (fault is not null) return null;
        int minor = line[^1] - '0';
        string method = MethodName(line[..methodEnd]);
        if (HttpTarget.Read(method, line[(methodEnd + 1)..targetEnd], role, out fault) is not { } target) return null;
        if (HttpFields.Read(bytes, lineLength + 2, ofResponse: false, out fault) is not { } fields) return null;
        fault = HostFault(fields, minor);
        if (fault is not null) return null;
        HttpBody body = HttpFraming.OfRequest(fields, minor, out fault);
        if (method == "CONNECT" && body.Kind != HttpBodyKind.None) fault ??= HttpFault.Bad("CONNECT has no body");
        return fault is null ? new HttpRequestHead(bytes, method, target, methodEnd + 1, minor, fields, body) : null;
    }

    private static HttpFault? VersionFault(ReadOnlySpan<byte> version) =>
        version.SequenceEqual("HTTP/1.1"u8) || version.SequenceEqual("HTTP/1.0"u8) ? null : HttpFault.Bad("the version is not HTTP/1.1 or HTTP/1.0");

    // RFC 9112 §3.2: missing, double or not valid is a 400; one that differs from the target is replaced when the request is passed on
    private static HttpFault? HostFault(HttpFields fields, int minor)
    {
        int first = fields.Find(HttpFieldKind.Host);
        if (first < 0) return minor == 1 ? HttpFault.Bad("Host is missing") : null;
        if (fields.Find(HttpFieldKind.Host, first + 1) >= 0) return HttpFault.Bad("Host is given twice");
        return HttpAuthority.IsValid(fields.Value(first)) ? null : HttpFault.Bad("Host is not a host with an optional port");
    }

    private static string MethodName(ReadOnlySpan<byte> method)
    {
        if (method.SequenceEqual("GET"u8)) return "GET";
        if (method.SequenceEqual("CONNECT"u8)) return "CONNECT";
        if (method.SequenceEqual("HEAD"u8)) return "HEAD";
        return method.SequenceEqual("POST"u8) ? "POST" : Encoding.ASCII.GetString(method);
    }
}
