namespace ProxyShell.Engine.Tunnels;

/// <summary>What a gateway offers the public for a tunnel.</summary>
public enum TunnelKind
{
    /// <summary>A host name, by which requests are told apart; the gateway speaks HTTP, and ends TLS on its HTTPS port.</summary>
    Http,

    /// <summary>A host name, by which TLS connections are told apart (SNI); the service behind the agent ends TLS, the gateway sees nothing of it.</summary>
    Tls,

    /// <summary>A TCP port of the gateway.</summary>
    Tcp,

    /// <summary>A UDP port of the gateway.</summary>
    Udp,
}
