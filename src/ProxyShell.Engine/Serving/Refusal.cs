namespace ProxyShell.Engine.Serving;

/// <summary>Why a client is turned away before it said a word.</summary>
internal enum Refusal
{
    /// <summary>The service has as many connections as it may.</summary>
    TooMany,

    /// <summary>The client has as many connections as one client may.</summary>
    TooManyOfClient,

    /// <summary>Its address is not admitted.</summary>
    Source,
}
