using System.Buffers;
using System.Buffers.Text;
using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>Reads <c>host[:port]</c> as it stands in targets and in Host (RFC 3986 §3.2, RFC 9110 §4.2). User information is not accepted.</summary>
internal static class HttpAuthority
{
    // unreserved, sub-delims but the comma (lists), and percent-encoding
    private static readonly SearchValues<byte> Name = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+;=%"u8);

    private static readonly SearchValues<byte> Literal = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:%"u8);

    /// <summary>Whether it may stand in Host; an empty one says that the target has no authority.</summary>
    public static bool IsValid(ReadOnlySpan<byte> text) => text.IsEmpty || TrySplit(text, out _, out _);

    /// <summary>The host alone, without port and without the dot that may end a name; empty when the text is none.</summary>
    public static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> text)
    {
        if (!TrySplit(text, out ReadOnlySpan<byte> host, out _)) return default;
        return host.EndsWith("."u8) ? host[..^1] : host;
    }

    /// <summary>Reads an endpoint; without a port it has the default one, and 0 as default means that a port is needed.</summary>
    public static HostEndpoint? Read(ReadOnlySpan<byte> text, int defaultPort)
    {
        if (!TrySplit(text, out ReadOnlySpan<byte> host, out int port)) return null;
        if (port < 0) port = defaultPort;
        if (port == 0) return null;
        try
        {
            return new HostEndpoint(Encoding.ASCII.GetString(host), port);
        }
        catch (FormatException)
        {
            // too long, or brackets around what is no address
            return null;
        }
    }

    // -1 as port: none is given
    private static bool TrySplit(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> host, out int port)
    {
        host = default;
        port = -1;
        bool isLiteral = text.StartsWith("["u8);
        int end = isLiteral ? text.IndexOf((byte)']') : text.IndexOf((byte)':');
        if (isLiteral && end < 0) return false;
        host = isLiteral ? text[1..end] : end < 0 ? text : text[..end];
        if (host.IsEmpty || host.ContainsAnyExcept(isLiteral ? Literal : Name) || (isLiteral && !host.Contains((byte)':'))) return false;
        ReadOnlySpan<byte> rest = end < 0 ? default : text[(isLiteral ? end + 1 : end)..];
        if (rest.IsEmpty) return true;
        if (rest[0] != ':') return false;
        rest = rest[1..];
        if (rest.IsEmpty) return true;
        return rest.Length <= 5 && Utf8Parser.TryParse(rest, out port, out int used) && used == rest.Length && port is >= 0 and <= 65535 && rest[0] is not ((byte)'+' or (byte)'-');
    }
}
