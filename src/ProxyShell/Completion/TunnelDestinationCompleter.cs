using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Completion;

/// <summary>Offers the kinds of services that can be published.</summary>
public sealed class TunnelDestinationCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() => TunnelDestination.Schemes.Select(Scheme);

    private static (string Value, string Tip) Scheme(string scheme) => scheme switch
    {
        "http" => ("http://127.0.0.1:8080", "a web server: http://host[:80]"),
        "https" => ("https://", "a web server that speaks TLS with the agent: https://host[:443]"),
        "http+unix" => ("http+unix:", "a web server on a Unix socket: http+unix:/path"),
        "tls" => ("tls://", "a service that ends its visitors' TLS itself, by SNI: tls://host[:443]"),
        "tls+unix" => ("tls+unix:", "the same on a Unix socket: tls+unix:/path"),
        "tcp" => ("tcp://127.0.0.1:22", "any TCP service: tcp://host:port"),
        "tcp+tls" => ("tcp+tls://", "a TCP service that the agent speaks TLS with: tcp+tls://host:port"),
        "unix" => ("unix:", "a service on a Unix socket: unix:/path"),
        "udp" => ("udp://", "a service of datagrams: udp://host:port"),
        _ => (scheme + "://", scheme),
    };
}
