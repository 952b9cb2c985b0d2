namespace ProxyShell.Engine.Diagnostics;

/// <summary>One thing that happened to a service or one of its connections.</summary>
public sealed class ProxyEvent
{
    private string? _message;

    /// <summary>The message of one that tells of a request is made when somebody asks for it.</summary>
    internal ProxyEvent(DateTimeOffset time, string service, ProxyEventKind kind, string? message)
    {
        (Time, Service, Kind, _message) = (time, service, kind, message);
    }

    /// <summary>When it happened.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>The name of the service, which is also the name of its job.</summary>
    public string Service { get; }

    /// <summary>What happened.</summary>
    public ProxyEventKind Kind { get; }

    /// <summary>One sentence that names the thing concerned.</summary>
    public string Message => _message ??= Request?.ToString() ?? "";

    /// <summary>Why, for failures and refusals.</summary>
    public ProxyErrorReason Reason { get; internal init; }

    /// <summary>The connection concerned (live or final), or null.</summary>
    public ProxyConnection? Connection { get; internal init; }

    /// <summary>The HTTP request concerned, or null.</summary>
    public HttpRequestRecord? Request { get; internal init; }

    /// <summary>The id of the connection concerned, or null.</summary>
    public long? ConnectionId => Connection?.Id;

    /// <summary>Who connected, or null.</summary>
    public string? Client => Connection?.Client;

    /// <summary>Where the connection goes, or null.</summary>
    public string? Destination => Connection?.Destination;

    /// <summary>Bytes towards the destination so far.</summary>
    public long BytesSent => Connection?.BytesSent ?? 0;

    /// <summary>Bytes towards the client so far.</summary>
    public long BytesReceived => Connection?.BytesReceived ?? 0;

    /// <inheritdoc />
    public override string ToString() => $"{Time:O} {Service} {Kind}: {Message}";
}
