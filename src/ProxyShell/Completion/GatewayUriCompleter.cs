using ProxyShell.Engine.Tunnels;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the URIs of running gateways and the schemes of gateway URIs.</summary>
public sealed class GatewayUriCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        [.. SessionJobs.OfProcess().OfType<TunnelGatewayJob>().Select(job => (job.Uri, job.Name)), .. GatewayAddress.Schemes.Select(scheme => (scheme + "://", Tip(scheme)))];

    private static string Tip(string scheme) => scheme switch
    {
        "tunnel" => "a gateway over TCP: tunnel://host:port",
        "tunnels" => "a gateway over TLS: tunnels://host:port[?thumbprint=...]",
        "ws" => "a gateway in a WebSocket over HTTP: ws://host[:80][/path]",
        "wss" => "a gateway in a WebSocket over HTTPS: wss://host[:443][/path]",
        _ => scheme,
    };
}
