namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>The first byte of a conversation.</summary>
internal static class SocksVersion
{
    /// <summary>SOCKS 4 and 4a.</summary>
    public const byte Four = 4;

    /// <summary>SOCKS 5 (RFC 1928 §3).</summary>
    public const byte Five = 5;
}
