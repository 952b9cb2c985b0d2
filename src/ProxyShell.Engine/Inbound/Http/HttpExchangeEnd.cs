namespace ProxyShell.Engine.Inbound.Http;

/// <summary>What follows an exchange of request and response.</summary>
internal enum HttpExchangeEnd
{
    /// <summary>The client's next request.</summary>
    NextRequest,

    /// <summary>The end of the client's connection.</summary>
    Close,

    /// <summary>The end of the client's connection, though the client still sends.</summary>
    CloseEarly,

    /// <summary>Both sides speak WebSocket from now on.</summary>
    Upgraded,

    /// <summary>The origin ended a connection that had been used before, without a word: the request may be sent again.</summary>
    Stale,
}
