namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>How a client shows who it is (RFC 1928 §3).</summary>
internal enum SocksMethod : byte
{
    /// <summary>Not at all.</summary>
    None = 0x00,

    /// <summary>User name and password (RFC 1929).</summary>
    UserPassword = 0x02,

    /// <summary>None of the methods offered will do.</summary>
    Unacceptable = 0xFF,
}
