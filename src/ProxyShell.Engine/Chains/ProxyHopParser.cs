using System.Globalization;
using System.Text.RegularExpressions;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>Reads hop URIs.</summary>
internal static partial class ProxyHopParser
{
    private static readonly string[] MultiplexedSchemes = ["relay+mux", "relays+mux", "relay+mux+unix", "relay+mux+ws", "relay+mux+wss"];
    private static readonly string[] SessionOptions = ["sessions", "channels", "idle", "keepalive"];

    public static ProxyHop Parse(string text)
    {
        text = text.Trim();
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        bool isMultiplexed = MultiplexedSchemes.Contains(scheme);
        return Parse(text, colon, isMultiplexed ? scheme.Replace("+mux", "", StringComparison.Ordinal) : scheme, isMultiplexed);
    }

    private static ProxyHop Parse(string text, int colon, string scheme, bool isMultiplexed)
    {
        return scheme switch
        {
            "relay" => ParseNetwork(text, colon, HopProtocol.Relay, TransportKind.Tcp, 0, isMultiplexed: isMultiplexed),
            "relays" => ParseNetwork(text, colon, HopProtocol.Relay, TransportKind.Tls, 0, isMultiplexed: isMultiplexed),
            "relay+ws" => ParseNetwork(text, colon, HopProtocol.Relay, TransportKind.Tcp, 80, webSocket: true, isMultiplexed),
            "relay+wss" => ParseNetwork(text, colon, HopProtocol.Relay, TransportKind.Tls, 443, webSocket: true, isMultiplexed),
            "relay+unix" => ParseUnix(text, colon, isMultiplexed),
            // the h of curl's socks5h says that the proxy resolves names, which is what a chain always does
            "socks5" or "socks5h" => ParseNetwork(text, colon, HopProtocol.Socks5, TransportKind.Tcp, 1080),
            "socks5+tls" => ParseNetwork(text, colon, HopProtocol.Socks5, TransportKind.Tls, 1080),
            "http" => ParseNetwork(text, colon, HopProtocol.Http, TransportKind.Tcp, 80),
            "https" => ParseNetwork(text, colon, HopProtocol.Http, TransportKind.Tls, 443),
            "ssh" => ParseNetwork(text, colon, HopProtocol.Ssh, TransportKind.Tcp, 22),
            _ => throw Fault(text, $"it must start with one of {string.Join(", ", ProxyHop.Schemes.Select(s => s + ":"))}, for example relay://127.0.0.1:4101"),
        };
    }

    private static ProxyHop ParseNetwork(string text, int colon, HopProtocol protocol, TransportKind kind, int defaultPort, bool webSocket = false, bool isMultiplexed = false)
    {
        string rest = text[(colon + 1)..];
        if (!rest.StartsWith("//", StringComparison.Ordinal)) throw Fault(text, "'//' is missing after the scheme");
        (string address, string query) = Split(rest[2..], '?');
        // a password may hold a slash only percent-encoded, so the first one begins the path
        int slash = address.IndexOf('/', StringComparison.Ordinal);
        (string authority, string path) = slash < 0 ? (address, "") : (address[..slash], address[slash..]);
        if (!webSocket && path.Length > 1) throw Fault(text, $"a {text[..colon]} hop has no path");
        if (path.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '#')) throw Fault(text, "the path holds a character that no path may have");
        (string user, string host) = SplitUser(authority);
        HostEndpoint endpoint = ReadEndpoint(text, host, defaultPort);
        TransportAddress bare = kind == TransportKind.Tls ? TransportAddress.Tls(endpoint) : TransportAddress.Tcp(endpoint);
        var hop = new ProxyHop(isMultiplexed ? bare.Multiplexed() : bare)
        {
            Protocol = protocol,
            WebSocketPath = !webSocket ? null : path.Length == 0 ? "/" : path,
            Key = protocol == HopProtocol.Relay ? ReadKey(text, user) : null,
            Credential = protocol == HopProtocol.Relay ? null : ReadCredential(text, user),
        };
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries)) hop = Apply(text, hop, pair);
        return hop;
    }

    private static HostEndpoint ReadEndpoint(string text, string host, int defaultPort)
    {
        bool hasPort = host.LastIndexOf(':') > host.LastIndexOf(']');
        if (!hasPort && defaultPort > 0) host = $"{host}:{defaultPort}";
        if (!HostEndpoint.TryParse(host, out HostEndpoint? endpoint, out string? fault)) throw Fault(text, fault);
        return endpoint.Port > 0 ? endpoint : throw Fault(text, "port 0 cannot be connected to");
    }

    private static ProxyCredential? ReadCredential(string text, string user)
    {
        if (user.Length == 0) return null;
        (string name, string password) = Split(user, ':');
        try
        {
            return new ProxyCredential(Uri.UnescapeDataString(name), Uri.UnescapeDataString(password));
        }
        catch (FormatException e)
        {
            throw Fault(text, e.Message);
        }
    }

    private static ProxyHop ParseUnix(string text, int colon, bool isMultiplexed)
    {
        string rest = text[(colon + 1)..];
        if (rest.StartsWith("//", StringComparison.Ordinal)) rest = rest[2..];
        // a path may hold an '@' itself
        (string user, string path) = rest.StartsWith('/') ? ("", rest) : SplitUser(rest);
        if (!path.StartsWith('/')) throw Fault(text, "a Unix socket needs an absolute path, for example relay+unix:/run/proxy.sock");
        return new ProxyHop(isMultiplexed ? UnixAddress(text, path).Multiplexed() : UnixAddress(text, path)) { Key = ReadKey(text, user) };
    }

    private static TransportAddress UnixAddress(string text, string path)
    {
        try
        {
            return TransportAddress.Unix(path);
        }
        catch (FormatException e)
        {
            throw Fault(text, e.Message);
        }
    }

    private static ProxyHop Apply(string text, ProxyHop hop, string pair)
    {
        (string name, string value) = Split(pair, '=');
        value = Uri.UnescapeDataString(value);
        string option = name.ToLowerInvariant();
        if (SessionOptions.Contains(option)) return hop with { Sessions = ReadSessions(text, hop, option, value) };
        if (hop.Address.Kind != TransportKind.Tls) throw Fault(text, "only TLS hops (relays, relay+wss, socks5+tls, https) take options" + (hop.Address.IsMultiplexed ? $" other than {string.Join(", ", SessionOptions)}" : ""));
        return option switch
        {
            "thumbprint" => hop with { Trust = TlsTrust.Pinned(value) },
            "servername" when value.Length > 0 => hop with { ServerName = value },
            _ => throw Fault(text, $"option '{name}' is not known; thumbprint and servername are"),
        };
    }

    private static SessionPooling ReadSessions(string text, ProxyHop hop, string option, string value)
    {
        if (!hop.Address.IsMultiplexed) throw Fault(text, $"option '{option}' is for multiplexed hops ({string.Join(", ", MultiplexedSchemes)})");
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)) throw Fault(text, $"option '{option}' is '{value}', and has to be a whole number");
        SessionPooling sessions = option switch
        {
            "sessions" => hop.Sessions with { MaxSessions = number },
            "channels" => hop.Sessions with { MaxChannels = number },
            "idle" => hop.Sessions with { IdleTimeout = TimeSpan.FromSeconds(number) },
            _ => hop.Sessions with { KeepAlive = TimeSpan.FromSeconds(number) },
        };
        try
        {
            sessions.Validate();
            return sessions;
        }
        catch (FormatException e)
        {
            throw Fault(text, e.Message);
        }
    }

    private static ProxyKey? ReadKey(string text, string user)
    {
        if (user.Length == 0) return null;
        return ProxyKey.TryParse(Uri.UnescapeDataString(user), out ProxyKey? key)
            ? key
            : throw Fault(text, "what stands before '@' is not a key (43 characters of base64url, as New-ProxyKey makes them)");
    }

    private static (string User, string Host) SplitUser(string text)
    {
        int at = text.LastIndexOf('@');
        return at < 0 ? ("", text) : (text[..at], text[(at + 1)..]);
    }

    private static (string Left, string Right) Split(string text, char separator)
    {
        int index = text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0 ? (text, "") : (text[..index], text[(index + 1)..]);
    }

    private static FormatException Fault(string text, string why) =>
        new(KeyShaped.Replace($"'{Masked(text)}' is not a hop URI: {why.TrimEnd('.')}.", "***"));

    private static string Masked(string text)
    {
        int at = text.LastIndexOf('@');
        int slashes = text.IndexOf("//", StringComparison.Ordinal), colon = text.IndexOf(':', StringComparison.Ordinal);
        int start = slashes >= 0 && slashes < at ? slashes + 2 : colon < at ? colon + 1 : 0;
        return at <= start ? text : $"{text[..start]}***{text[at..]}";
    }

    // a key in the wrong place (no '@', no scheme) is still a key
    [GeneratedRegex("(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")]
    private static partial Regex KeyShaped { get; }
}
