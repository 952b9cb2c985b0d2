namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>How a request ended (RFC 1928 §6).</summary>
internal enum SocksReplyCode : byte
{
    /// <summary>It succeeded.</summary>
    Succeeded = 0x00,

    /// <summary>General SOCKS server failure.</summary>
    GeneralFailure = 0x01,

    /// <summary>Connection not allowed by ruleset.</summary>
    NotAllowed = 0x02,

    /// <summary>Network unreachable.</summary>
    NetworkUnreachable = 0x03,

    /// <summary>Host unreachable; also used when its name does not resolve.</summary>
    HostUnreachable = 0x04,

    /// <summary>Connection refused.</summary>
    ConnectionRefused = 0x05,

    /// <summary>TTL expired; what dante, microsocks and Tor say when connecting took too long.</summary>
    TtlExpired = 0x06,

    /// <summary>Command not supported.</summary>
    CommandNotSupported = 0x07,

    /// <summary>Address type not supported.</summary>
    AddressTypeNotSupported = 0x08,
}
