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
        7 when Is(name, "upgrade"u8) => HttpFieldKind.Upgrade,
        10 when Is(name, "connection"u8) => HttpFieldKind.Connection,
        10 when Is(name, "keep-alive"u8) => HttpFieldKind.HopByHop,
        12 when Is(name, "max-forwards"u8) => HttpFieldKind.MaxForwards,
        12 when Is(name, "proxy-status"u8) => HttpFieldKind.ProxyStatus,
        14 when Is(name, "content-length"u8) => HttpFieldKind.ContentLength,
        16 when Is(name, "proxy-connection"u8) => HttpFieldKind.HopByHop,
        17 when Is(name, "transfer-encoding"u8) => HttpFieldKind.TransferEncoding,
        17 when Is(name, "sec-websocket-key"u8) => HttpFieldKind.WebSocketKey,
        18 when Is(name, "proxy-authenticate"u8) => HttpFieldKind.HopByHop,
        19 when Is(name, "proxy-authorization"u8) => HttpFieldKind.ProxyAuthorization,
        20 when Is(name, "sec-websocket-accept"u8) => HttpFieldKind.WebSocketAccept,
        21 when Is(name, "sec-websocket-version"u8) => HttpFieldKind.WebSocketVersion,
        25 when Is(name, "proxy-authentication-info"u8) => HttpFieldKind.HopByHop,
        _ => HttpFieldKind.Other,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) => Ascii.EqualsIgnoreCase(name, known);
}
