namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The fields that mean something to a proxy; all others are passed on.</summary>
internal enum HttpFieldKind : byte
{
    /// <summary>None of these.</summary>
    Other,

    /// <summary>RFC 9110 §7.6.1.</summary>
    Connection,

    /// <summary>RFC 9110 §8.6.</summary>
    ContentLength,

    /// <summary>RFC 9112 §6.1.</summary>
    TransferEncoding,

    /// <summary>RFC 9110 §7.2.</summary>
    Host,

    /// <summary>RFC 9110 §7.8.</summary>
    Upgrade,

    /// <summary>RFC 9110 §10.1.4.</summary>
    Te,

    /// <summary>RFC 9110 §7.6.2.</summary>
    MaxForwards,

    /// <summary>RFC 9110 §11.7.2: the client's credential for this proxy.</summary>
    ProxyAuthorization,

    /// <summary>Concerns one connection only: Keep-Alive, Proxy-Connection, Proxy-Authenticate, Proxy-Authentication-Info.</summary>
    HopByHop,

    /// <summary>RFC 6454 §7: the page that asks, sent by browsers with every WebSocket handshake.</summary>
    Origin,

    /// <summary>RFC 6455 §11.3.1.</summary>
    WebSocketKey,

    /// <summary>RFC 6455 §11.3.3.</summary>
    WebSocketAccept,

    /// <summary>RFC 6455 §11.3.5.</summary>
    WebSocketVersion,

    /// <summary>RFC 9209.</summary>
    ProxyStatus,

    /// <summary>RFC 9110 §10.1.1.</summary>
    Expect,

    /// <summary>RFC 9110 §12.5.1.</summary>
    Accept,

    /// <summary>RFC 9110 §11.6.2: the client's credential for the server.</summary>
    Authorization,

    /// <summary>RFC 9110 §10.1.5.</summary>
    UserAgent,

    /// <summary>RFC 9110 §10.1.3.</summary>
    Referer,

    /// <summary>RFC 7239: who asked whom on the way, by the word of who sends it.</summary>
    Forwarded,

    /// <summary>X-Forwarded-For: the older way to say where a request came from.</summary>
    ForwardedFor,

    /// <summary>X-Forwarded-Host: which host was asked for.</summary>
    ForwardedHost,

    /// <summary>X-Forwarded-Proto: by which scheme.</summary>
    ForwardedProto,
}
