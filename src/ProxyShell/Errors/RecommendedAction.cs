using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Errors;

/// <summary>What to do about each reason, in one sentence.</summary>
internal static class RecommendedAction
{
    public static string For(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.ConnectionRefused => "Check that something listens at that address and port, and that the address is right as seen from the hop before it.",
        ProxyErrorReason.HostUnreachable or ProxyErrorReason.NetworkUnreachable => "Check routes and firewalls between the hop before and that address.",
        ProxyErrorReason.NameNotFound => "Check the name; it is resolved by the last hop of the chain, not on this machine.",
        ProxyErrorReason.TimedOut => "Check firewalls that drop packets silently, or allow more time with -ConnectTimeout or -Timeout.",
        ProxyErrorReason.Forbidden => "The hop's policy or a rule refuses the destination: see -AllowDestination, -DenyDestination and -Rule of the listener there; one that others can reach connects to its own machine and link only where -AllowDestination names an address of them.",
        ProxyErrorReason.ClientNotAdmitted => "The listener takes no connections from this address: see its -AllowSource and -DenySource.",
        ProxyErrorReason.AuthenticationFailed => "Give the hop the key of its proxy server (-Key of New-ProxyHop), its user name and password (-Credential), or the last hop the payload key (-PayloadKey of New-ProxyChain); compare the keys by their Id.",
        ProxyErrorReason.Replayed => "Somebody sent a copy of an earlier request; if nobody attacks, look for a device that repeats traffic.",
        ProxyErrorReason.ClockSkew => "Set both clocks right (NTP), or allow more with -ClockWindow of Start-ProxyServer.",
        ProxyErrorReason.TlsFailed => "Check the certificate's name and issuer, or pin it with -Thumbprint of New-ProxyHop; check that the hop expects TLS at all.",
        ProxyErrorReason.ProtocolError or ProxyErrorReason.ConnectionClosed => "Check what listens there: whether it speaks the protocol of the hop's URI, and whether with TLS (relays://, https://) or without.",
        ProxyErrorReason.Unsupported => "Check that both sides run the same version of ProxyShell.",
        ProxyErrorReason.LimitExceeded => "Wait for connections to end, or allow more with -MaxConnections.",
        ProxyErrorReason.AddressInUse => "Get-Job shows the listeners of this session; ss -ltnp or Get-NetTCPConnection shows whose port it is.",
        ProxyErrorReason.AddressNotAvailable => "Leave -LocalAddress out to listen on 127.0.0.1, or complete it with the Tab key to see the addresses of this machine.",
        ProxyErrorReason.ResourceExhausted => "Raise the limit of open files (ulimit -n), or lower -MaxConnections.",
        _ => "",
    };

    /// <summary>What to do when a gateway refuses a registration.</summary>
    public static string ForRegistration(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.AuthenticationFailed =>
            "Give the gateway's -Token, and have the thumbprint of this key among the -AuthorizedKey of Start-TunnelGateway; New-TunnelIdentity and the Thumbprint of tunnel jobs show it.",
        ProxyErrorReason.ClockSkew => "Set both clocks right (NTP), or allow more with -ClockWindow of Start-TunnelGateway.",
        ProxyErrorReason.Forbidden => "The name or port belongs to another key, or is none that the gateway gives: ask for another with -HostName, -SessionName or -RemotePort, or use the key that has it (-IdentityFile).",
        ProxyErrorReason.LimitExceeded => "Wait until another agent leaves, or allow more at the gateway: its -HostNamePool, port ranges, -MaxAgents, -MaxTunnelsPerKey, -MaxNamesPerKey.",
        ProxyErrorReason.Unsupported => "The gateway does not publish such services: see the -HttpPort, -HttpsPort, -TcpPortRange and -UdpPortRange with which it was started.",
        ProxyErrorReason.AddressInUse => "Another program at the gateway has the port: ask for another with -RemotePort, or for any.",
        ProxyErrorReason.Replayed => "Somebody between here and the gateway repeats or exchanges what is said; use tunnels:// or wss://.",
        ProxyErrorReason.ProtocolError => "Check that the URI leads to a gateway's control port, with TLS (tunnels://, wss://) or without, and that the name asked for is one label.",
        _ => For(reason),
    };
}
