namespace ProxyShell.Engine.Protocols.Multiplexing;

/// <summary>The major versions of the Nerdbank.Streams multiplexing protocol. Both sides have to use the same one; it is not negotiated.</summary>
public enum MultiplexingVersion
{
    /// <summary>No flow control and no error texts: one reader that stalls stalls the session. For old peers only.</summary>
    V1 = 1,

    /// <summary>Windows and error texts; begins with a handshake.</summary>
    V2 = 2,

    /// <summary>As version 2, without a handshake and with seeded channels.</summary>
    V3 = 3,
}
