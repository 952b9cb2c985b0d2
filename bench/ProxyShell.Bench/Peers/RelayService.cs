namespace ProxyShell.Bench.Peers;

/// <summary>What clients ask of a relay.</summary>
internal enum RelayService
{
    /// <summary>Every TCP connection goes to one destination.</summary>
    Tcp,

    /// <summary>Every UDP datagram goes to one destination, and answers come back.</summary>
    Udp,

    /// <summary>The client names the destination with SOCKS5 CONNECT.</summary>
    Socks5,

    /// <summary>The client names the destination with HTTP CONNECT.</summary>
    HttpConnect,

    /// <summary>As <see cref="Tcp"/>, by two ends with one connection between them.</summary>
    Session,
}
