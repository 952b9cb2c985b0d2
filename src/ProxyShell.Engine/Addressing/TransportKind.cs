namespace ProxyShell.Engine.Addressing;

/// <summary>How a connection is carried; the values are those of the relay protocol (docs/protocols/relay.md).</summary>
public enum TransportKind : byte
{
    /// <summary>Plain TCP.</summary>
    Tcp = 1,

    /// <summary>TLS 1.2 or 1.3 over TCP.</summary>
    Tls = 2,

    /// <summary>A Unix domain stream socket.</summary>
    Unix = 3,

    /// <summary>UDP: datagrams instead of a stream.</summary>
    Udp = 32,
}
