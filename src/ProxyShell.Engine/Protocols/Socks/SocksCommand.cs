namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>What a client asks for (RFC 1928 §4; version 4 knows the first two).</summary>
internal enum SocksCommand : byte
{
    /// <summary>A connection to the address.</summary>
    Connect = 1,

    /// <summary>A port on which one connection from the address is accepted.</summary>
    Bind = 2,

    /// <summary>A relay for datagrams.</summary>
    Associate = 3,
}
