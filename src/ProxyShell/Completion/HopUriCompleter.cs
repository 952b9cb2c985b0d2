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
        _ => (scheme + "://", scheme),
    };
}
