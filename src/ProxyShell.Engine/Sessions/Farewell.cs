namespace ProxyShell.Engine.Sessions;

/// <summary>How a channel is closed.</summary>
internal enum Farewell
{
    /// <summary>After what was written, and with an end.</summary>
    Orderly,

    /// <summary>At once, and the peer is told the error.</summary>
    Error,

    /// <summary>At once and without a word, because the peer has closed it already.</summary>
    Echo,
}
