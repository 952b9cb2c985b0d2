using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The opening handshake of WebSocket (RFC 6455 §4).</summary>
internal static class WebSocketHandshake
{
    public const string Version = "13";

    private const int KeyLength = 16;

    /// <summary>A key for one handshake.</summary>
    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLength));

    /// <summary>The request of a client.</summary>
    public static byte[] Request(HostEndpoint host, string path, string key) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: {Version}\r\n\r\n"));

    /// <summary>The response of a server.</summary>
    public static byte[] Response(string key) => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(key)}\r\n\r\n");

    /// <summary>The key of a request; null when it has none of 16 bytes.</summary>
    public static string? KeyOf(HttpRequestHead request)
    {
        string key = Encoding.Latin1.GetString(request.Fields.Only(HttpFieldKind.WebSocketKey));
        Span<byte> bytes = stackalloc byte[KeyLength + 2];
        return Convert.TryFromBase64String(key, bytes, out int length) && length == KeyLength ? key : null;
    }

    /// <summary>Whether a response agrees to the handshake with this key.</summary>
    public static bool IsAgreed(HttpResponseHead response, string key) =>
        response.Status == 101
        && Ascii.EqualsIgnoreCase(response.Fields.Only(HttpFieldKind.Upgrade), "websocket"u8)
        && response.Fields.Lists(HttpFieldKind.Connection, "upgrade"u8)
        && Ascii.Equals(response.Fields.Only(HttpFieldKind.WebSocketAccept), Accept(key));

    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 §4.2.2 prescribes SHA-1; nothing is secured by it.")]
    private static string Accept(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}
