using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The service that a tunnel publishes, and so the kind of the tunnel. Written as a URI: <c>http://host[:80]</c>, <c>https://host[:443]</c> and
/// <c>http+unix:/path</c> (HTTP; the agent speaks TLS with an https service); <c>tls://host[:443]</c> and <c>tls+unix:/path</c> (the service ends its
/// visitors' TLS itself); <c>tcp://host:port</c>, <c>unix:/path</c>, and <c>tcp+tls://host:port</c> where the agent lays TLS on; <c>udp://host:port</c>.
/// </summary>
public sealed record TunnelDestination
{
    private TunnelDestination(string scheme, TunnelKind kind, TransportAddress address) => (Scheme, Kind, Address) = (scheme, kind, address);

    /// <summary>The URI schemes that <see cref="Parse"/> knows.</summary>
    public static IReadOnlyList<string> Schemes { get; } = ["http", "https", "http+unix", "tls", "tls+unix", "tcp", "tcp+tls", "unix", "udp"];

    /// <summary>The URI scheme.</summary>
    public string Scheme { get; }

    /// <summary>What the gateway offers the public.</summary>
    public TunnelKind Kind { get; }

    /// <summary>Where the agent connects, and how.</summary>
    public TransportAddress Address { get; }

    /// <summary>Reads a URI.</summary>
    /// <exception cref="FormatException">The text is none; the message names it and the fault.</exception>
    public static TunnelDestination Parse(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string text = uri.Trim();
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        string rest = colon < 0 ? "" : text[(colon + 1)..];
        return scheme switch
        {
            "http" => Network(text, scheme, TunnelKind.Http, TransportAddress.Tcp, rest, 80),
            "https" => Network(text, scheme, TunnelKind.Http, TransportAddress.Tls, rest, 443),
            "http+unix" => File(text, scheme, TunnelKind.Http, rest),
            "tls" => Network(text, scheme, TunnelKind.Tls, TransportAddress.Tcp, rest, 443),
            "tls+unix" => File(text, scheme, TunnelKind.Tls, rest),
            "tcp" => Network(text, scheme, TunnelKind.Tcp, TransportAddress.Tcp, rest, 0),
            "tcp+tls" => Network(text, scheme, TunnelKind.Tcp, TransportAddress.Tls, rest, 0),
            "unix" => File(text, scheme, TunnelKind.Tcp, rest),
            "udp" => Network(text, scheme, TunnelKind.Udp, TransportAddress.Udp, rest, 0),
            _ => throw Fault(text, $"it must start with one of {string.Join(", ", Schemes.Select(s => s + ":"))}, for example http://127.0.0.1:8080"),
        };
    }

    /// <summary>The URI.</summary>
    public override string ToString() => Address.Path is { } path ? $"{Scheme}:{path}" : $"{Scheme}://{Address.Endpoint}";

    private static TunnelDestination Network(string text, string scheme, TunnelKind kind, Func<HostEndpoint, TransportAddress> over, string rest, int usualPort)
    {
        if (!rest.StartsWith("//", StringComparison.Ordinal)) throw Fault(text, "'//' is missing after the scheme");
        string authority = rest[2..].EndsWith('/') ? rest[2..^1] : rest[2..];
        if (authority.AsSpan().ContainsAny('/', '?', '@')) throw Fault(text, "only host and port may follow the scheme");
        bool hasPort = authority.LastIndexOf(':') > authority.LastIndexOf(']');
        if (!hasPort && usualPort > 0) authority = $"{authority}:{usualPort}";
        if (!HostEndpoint.TryParse(authority, out HostEndpoint? endpoint, out string? fault)) throw Fault(text, fault);
        return endpoint.Port > 0 ? new TunnelDestination(scheme, kind, over(endpoint)) : throw Fault(text, "port 0 cannot be connected to");
    }

    private static TunnelDestination File(string text, string scheme, TunnelKind kind, string rest)
    {
        string path = rest.StartsWith("//", StringComparison.Ordinal) ? rest[2..] : rest;
        if (!path.StartsWith('/')) throw Fault(text, "a Unix socket needs an absolute path, for example unix:/run/service.sock");
        try
        {
            return new TunnelDestination(scheme, kind, TransportAddress.Unix(path));
        }
        catch (FormatException e)
        {
            throw Fault(text, e.Message);
        }
    }

    private static FormatException Fault(string text, string why) => new($"'{text}' is not the destination of a tunnel: {why.TrimEnd('.')}.");
}
