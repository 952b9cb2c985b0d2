namespace ProxyShell.Engine.Protocols;

/// <summary>What a hop reaches the next address over (docs/protocols/relay.md, "Response").</summary>
internal enum RelayLink : byte
{
    /// <summary>Not told.</summary>
    NotTold = 0,

    /// <summary>A connection of its own.</summary>
    Connection = 1,

    /// <summary>A channel of a session that was begun for it.</summary>
    NewSession = 2,

    /// <summary>A channel of a session that was there.</summary>
    KeptSession = 3,
}
