using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>Tells field names apart; upper and lower case are the same (RFC 9110 §5.1).</summary>
internal static class HttpFieldNames
{
    public static HttpFieldKind Classify(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when Is(name, "te"u8) => HttpFieldKind.Te,
        4 when Is(name, "host"u8) => HttpFieldKind.Host,
        6 when Is(name, "origin"u8) => HttpFieldKind.Origin,
        6 when Is(name, "accept"u8) => HttpFieldKind.Accept,
        6 when Is(name, "expect"u8) => HttpFieldKind.Expect,
        7 when Is(name, "upgrade"u8) => HttpFieldKind.Upgrade,
        7 when Is(name, "referer"u8) => HttpFieldKind.Referer,
        9 when Is(name, "forwarded"u8) => HttpFieldKind.Forwarded,
        10 when Is(name, "connection"u8) => HttpFieldKind.Connection,
        10 when Is(name, "keep-alive"u8) => HttpFieldKind.HopByHop,
        10 when Is(name, "user-agent"u8) => HttpFieldKind.UserAgent,
        12 when Is(name, "max-forwards"u8) => HttpFieldKind.MaxForwards,
        12 when Is(name, "proxy-status"u8) => HttpFieldKind.ProxyStatus,
        13 when Is(name, "authorization"u8) => HttpFieldKind.Authorization,
        14 when Is(name, "content-length"u8) => HttpFieldKind.ContentLength,
        15 when IsAlike(name, "x-forwarded-for"u8) => HttpFieldKind.ForwardedFor,
        16 when Is(name, "proxy-connection"u8) => HttpFieldKind.HopByHop,
        16 when IsAlike(name, "x-forwarded-host"u8) => HttpFieldKind.ForwardedHost,
        17 when Is(name, "transfer-encoding"u8) => HttpFieldKind.TransferEncoding,
        17 when Is(name, "sec-websocket-key"u8) => HttpFieldKind.WebSocketKey,
        17 when IsAlike(name, "x-forwarded-proto"u8) => HttpFieldKind.ForwardedProto,
        18 when Is(name, "proxy-authenticate"u8) => HttpFieldKind.HopByHop,
        19 when Is(name, "proxy-authorization"u8) => HttpFieldKind.ProxyAuthorization,
        20 when Is(name, "sec-websocket-accept"u8) => HttpFieldKind.WebSocketAccept,
        21 when Is(name, "sec-websocket-version"u8) => HttpFieldKind.WebSocketVersion,
        25 when Is(name, "proxy-authentication-info"u8) => HttpFieldKind.HopByHop,
        _ => HttpFieldKind.Other,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) => Ascii.EqualsIgnoreCase(name, known);

    // servers that make variables of names (CGI, RFC 3875 §4.1.18) take x_forwarded_for for the same
    private static bool IsAlike(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known)
    {
        Span<byte> hyphened = stackalloc byte[known.Length];
        name.Replace(hyphened, (byte)'_', (byte)'-');
        return Is(hyphened, known);
    }
}
