using System.Text;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>A request target, taken apart; authority and path are places in the target's own bytes.</summary>
internal sealed record HttpTarget(HttpTargetForm Form, HostEndpoint? Endpoint, Range Authority, Range Path)
{
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    /// <summary>Reads the target of a request with this method.</summary>
    public static HttpTarget? Read(string method, ReadOnlySpan<byte> target, HttpRole role, out HttpFault? fault)
    {
        fault = null;
        if (!HttpChars.IsTarget(target, role)) fault = HttpFault.Bad("the request target is empty or holds a character that no URI may have");
        else if (method == "CONNECT") return ReadAuthority(target, out fault);
        else if (target[0] == '/') return new HttpTarget(HttpTargetForm.Origin, null, default, ..target.Length);
        else if (!target.SequenceEqual("*"u8)) return ReadAbsolute(target, role, out fault);
        else if (method == "OPTIONS") return new HttpTarget(HttpTargetForm.Asterisk, null, default, ..1);
        else fault = HttpFault.Bad("only OPTIONS may ask for *");
        return null;
    }

    private static HttpTarget? ReadAuthority(ReadOnlySpan<byte> target, out HttpFault? fault)
    {
        HostEndpoint? endpoint = HttpAuthority.Read(target, defaultPort: 0);
        fault = endpoint is null ? HttpFault.Bad("CONNECT needs host:port, with a port from 1 to 65535") : null;
        return endpoint is null ? null : new HttpTarget(HttpTargetForm.Authority, endpoint, ..target.Length, default);
    }

    private static HttpTarget? ReadAbsolute(ReadOnlySpan<byte> target, HttpRole role, out HttpFault? fault)
    {
        int colon = target.IndexOf("://"u8);
        ReadOnlySpan<byte> scheme = colon < 0 ? default : target[..colon];
        bool isSecure = Ascii.EqualsIgnoreCase(scheme, "https"u8);
        if (!Ascii.EqualsIgnoreCase(scheme, "http"u8) && !(isSecure && role == HttpRole.Gateway))
        {
            fault = HttpFault.Bad(isSecure
                ? "https:// URIs are not forwarded; ask with CONNECT and speak TLS through the tunnel"
                : "the request target is neither a path nor an http:// URI");
            return null;
        }
        int start = colon + 3;
        int length = target[start..].IndexOfAny((byte)'/', (byte)'?');
        int end = length < 0 ? target.Length : start + length;
        HostEndpoint? endpoint = HttpAuthority.Read(target[start..end], isSecure ? HttpsPort : HttpPort);
        fault = endpoint is not null ? null
            : HttpFault.Bad(target[start..end].Contains((byte)'@') ? "the request target holds user information" : "the host or port of the request target is not valid");
        return endpoint is null ? null : new HttpTarget(HttpTargetForm.Absolute, endpoint, start..end, end..target.Length);
    }
}
