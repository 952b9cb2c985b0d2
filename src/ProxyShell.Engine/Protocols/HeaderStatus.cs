namespace ProxyShell.Engine.Protocols;

/// <summary>What a parser made of the bytes it has.</summary>
internal enum HeaderStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>A whole header was read.</summary>
    Complete,

    /// <summary>The bytes can never become a header.</summary>
    Invalid,
}
