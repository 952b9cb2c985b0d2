namespace ProxyShell.Engine.Protocols.Http;

/// <summary>How the end of a body is known.</summary>
internal enum HttpBodyKind : byte
{
    /// <summary>There is no body.</summary>
    None,

    /// <summary>It has so many bytes.</summary>
    Length,

    /// <summary>It comes in chunks (RFC 9112 §7.1), the last of which is empty.</summary>
    Chunked,

    /// <summary>It ends with the connection.</summary>
    UntilClose,
}
