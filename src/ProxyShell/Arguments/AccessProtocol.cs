namespace ProxyShell.Arguments;

/// <summary>What the clients of an access listener speak: with a destination one of the first two, without one of the others or both.</summary>
public enum AccessProtocol
{
    /// <summary>Connections to the destination.</summary>
    Tcp,

    /// <summary>Datagrams to the destination.</summary>
    Udp,

    /// <summary>SOCKS: each client says where it wants to go.</summary>
    Socks5,

    /// <summary>An HTTP proxy: each client says where it wants to go.</summary>
    Http,
}
