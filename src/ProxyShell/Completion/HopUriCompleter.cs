using ProxyShell.Engine.Chains;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the URIs of running proxy servers and the schemes of hop URIs.</summary>
public sealed class HopUriCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        [.. SessionJobs.OfProcess().OfType<ProxyServerJob>().Select(job => (job.Uri, job.Name)), .. ProxyHop.Schemes.Select(Scheme)];

    private static (string Value, string Tip) Scheme(string scheme) => scheme switch
    {
        "relay" => ("relay://", "a proxy server over TCP: relay://[key@]host:port"),
        "relays" => ("relays://", "a proxy server over TLS: relays://[key@]host:port[?thumbprint=...]"),
        "relay+unix" => ("relay+unix:", "a proxy server on a Unix socket: relay+unix:/path"),
        "relay+ws" => ("relay+ws://", "a proxy server in a WebSocket over HTTP: relay+ws://[key@]host[:80][/path]"),
        "relay+wss" => ("relay+wss://", "a proxy server in a WebSocket over HTTPS: relay+wss://[key@]host[:443][/path]"),
        "relay+mux" => ("relay+mux://", "a proxy server by channels of a session that is kept to it: relay+mux://[key@]host:port[?sessions=8&channels=1000]"),
        "relays+mux" => ("relays+mux://", "the same over TLS: relays+mux://[key@]host:port[?thumbprint=...]"),
        "relay+mux+unix" => ("relay+mux+unix:", "the same on a Unix socket: relay+mux+unix:/path"),
        "relay+mux+ws" => ("relay+mux+ws://", "the same in a WebSocket over HTTP: relay+mux+ws://[key@]host[:80][/path]"),
        "relay+mux+wss" => ("relay+mux+wss://", "the same in a WebSocket over HTTPS: relay+mux+wss://[key@]host[:443][/path]"),
        "socks5" => ("socks5://", "a SOCKS5 proxy: socks5://[user:password@]host[:1080]"),
        "socks5+tls" => ("socks5+tls://", "a SOCKS5 proxy over TLS: socks5+tls://[user:password@]host[:1080]"),
        "http" => ("http://", "an HTTP proxy: http://[user:password@]host[:80]"),
        "https" => ("https://", "an HTTP proxy over TLS: https://[user:password@]host[:443]"),
        "ssh" => ("ssh://", "an SSH server, through the ssh program: ssh://[user@]host[:22]"),
        _ => (scheme + "://", scheme),
    };
}
