namespace ProxyShell.Bench.Peers;

/// <summary>What a tunnel publishes.</summary>
internal enum TunnelKind
{
    /// <summary>A web site under a host name.</summary>
    Http,

    /// <summary>A TCP port.</summary>
    Tcp,
}
