namespace ProxyShell.Engine.Inbound;

/// <summary>The protocols in which clients can say where they want to go; several share one port, told apart by their first bytes.</summary>
[Flags]
public enum ProxyProtocols
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The relay protocol (docs/protocols/relay.md).</summary>
    Relay = 1,

    /// <summary>SOCKS version 5 (RFC 1928), and without credentials versions 4 and 4a too.</summary>
    Socks5 = 2,

    /// <summary>HTTP/1.1: CONNECT and forwarded requests.</summary>
    Http = 4,

    /// <summary>All of them.</summary>
    All = Relay | Socks5 | Http,
}
