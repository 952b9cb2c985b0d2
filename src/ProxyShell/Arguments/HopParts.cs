using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Arguments;

/// <summary>A hop in its parts; what is left out is as in a URI without it.</summary>
internal sealed record HopParts(string HostName, int? Port, HopProtocol Protocol, bool Tls, string? WebSocketPath)
{
    /// <summary>The hop of these parts.</summary>
    /// <exception cref="FormatException">A part is not valid, or they do not go together.</exception>
    public ProxyHop ToHop()
    {
        string host = HostName.StartsWith('[') && HostName.EndsWith(']') ? HostName[1..^1] : HostName;
        string authority = new HostEndpoint(host, Port ?? 0).ToString();
        if (Port is null) authority = authority[..^":0".Length];
        if (WebSocketPath?.StartsWith('/') == false) throw new FormatException($"'{WebSocketPath}' is not the path of a WebSocket: it must begin with a slash.");
        return ProxyHop.Parse($"{Scheme()}://{authority}{WebSocketPath}");
    }

    private string Scheme() => (Protocol, Tls, WebSocketPath is not null) switch
    {
        (HopProtocol.Relay, false, false) => "relay",
        (HopProtocol.Relay, true, false) => "relays",
        (HopProtocol.Relay, false, true) => "relay+ws",
        (HopProtocol.Relay, true, true) => "relay+wss",
        (_, _, true) => throw new FormatException($"A WebSocket carries the relay protocol; a hop with {Protocol} has no -WebSocketPath."),
        (HopProtocol.Http, false, _) => "http",
        (HopProtocol.Http, true, _) => "https",
        (HopProtocol.Socks5, false, _) => "socks5",
        (HopProtocol.Socks5, true, _) => "socks5+tls",
        (_, true, _) => throw new FormatException($"{Protocol} is not spoken over TLS; -Tls is for hops with Relay, Socks5 or Http."),
        (HopProtocol.Ssh, _, _) => "ssh",
        _ => throw new FormatException($"The protocol {Protocol} is not known."),
    };
}
