namespace ProxyShell.Engine.Chains;

/// <summary>What is spoken with a hop.</summary>
public enum HopProtocol
{
    /// <summary>The relay protocol (docs/protocols/relay.md).</summary>
    Relay,

    /// <summary>SOCKS version 5 (RFC 1928).</summary>
    Socks5,

    /// <summary>HTTP CONNECT (RFC 9110 §9.3.6).</summary>
    Http,

    /// <summary>An SSH server, through the ssh program (<c>ssh -W</c>).</summary>
    Ssh,
}
