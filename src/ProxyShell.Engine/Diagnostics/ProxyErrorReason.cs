namespace ProxyShell.Engine.Diagnostics;

/// <summary>Why something failed. The values 0 to 127 travel in relay responses (docs/protocols/relay.md) and never change.</summary>
public enum ProxyErrorReason : byte
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>Nobody listens at the address.</summary>
    ConnectionRefused = 1,

    /// <summary>No route to the host.</summary>
    HostUnreachable = 2,

    /// <summary>No route to the network.</summary>
    NetworkUnreachable = 3,

    /// <summary>The host name does not resolve.</summary>
    NameNotFound = 4,

    /// <summary>No answer within the time limit.</summary>
    TimedOut = 5,

    /// <summary>The destination policy does not allow the address.</summary>
    Forbidden = 6,

    /// <summary>The key is missing, unknown or wrong.</summary>
    AuthenticationFailed = 7,

    /// <summary>The same sealed header came before.</summary>
    Replayed = 8,

    /// <summary>The header's timestamp is outside the accepted window.</summary>
    ClockSkew = 9,

    /// <summary>The bytes do not follow the protocol.</summary>
    ProtocolError = 10,

    /// <summary>A version, command or option that the peer does not know.</summary>
    Unsupported = 11,

    /// <summary>The limit of connections is reached.</summary>
    LimitExceeded = 12,

    /// <summary>The TLS handshake or its certificate check failed.</summary>
    TlsFailed = 13,

    /// <summary>The peer reset the connection.</summary>
    ConnectionReset = 14,

    /// <summary>The service is stopping.</summary>
    Stopping = 15,

    /// <summary>Descriptors, ports or memory ran out.</summary>
    ResourceExhausted = 16,

    /// <summary>The peer closed the connection before the exchange was complete.</summary>
    ConnectionClosed = 17,

    /// <summary>Any other failure; the message tells.</summary>
    Other = 127,

    /// <summary>No byte moved for the idle limit.</summary>
    IdleTimeout = 128,

    /// <summary>Ended by the operator.</summary>
    Aborted = 129,

    /// <summary>The local address is already in use.</summary>
    AddressInUse = 130,

    /// <summary>The local address does not exist on this machine, or may not be used by this user.</summary>
    AddressNotAvailable = 131,

    /// <summary>Clients from this address may not connect.</summary>
    ClientNotAdmitted = 132,
}
