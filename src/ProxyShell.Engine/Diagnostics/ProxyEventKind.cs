namespace ProxyShell.Engine.Diagnostics;

/// <summary>What happened.</summary>
public enum ProxyEventKind
{
    /// <summary>The service listens.</summary>
    Started,

    /// <summary>The service no longer listens.</summary>
    Stopped,

    /// <summary>A connection reached its destination.</summary>
    Opened,

    /// <summary>A connection ended normally.</summary>
    Closed,

    /// <summary>A connection could not be set up or was cut off.</summary>
    Failed,

    /// <summary>A client was turned away: bad bytes, a wrong key, a forbidden destination, a limit.</summary>
    Refused,

    /// <summary>The service itself met trouble, for example accept errors.</summary>
    Warning,

    /// <summary>An alternate of a chain went down or is up again.</summary>
    Health,

    /// <summary>A session that the service uses was begun, closed or lost.</summary>
    Session,

    /// <summary>Options of the running service were changed, or a certificate was loaded anew; the message says what is different.</summary>
    Reconfigured,

    /// <summary>An HTTP request was answered, or not; <see cref="ProxyEvent.Request"/> tells all of it.</summary>
    HttpRequest,

    /// <summary>A stripe of a striped pipe joined, was lost or cannot be connected.</summary>
    Stripe,
}
