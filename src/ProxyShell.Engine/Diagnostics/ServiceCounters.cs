namespace ProxyShell.Engine.Diagnostics;

/// <summary>Totals of one service since it started.</summary>
public sealed class ServiceCounters
{
    private readonly ConnectionRegistry _registry;

    internal ServiceCounters(ConnectionRegistry registry) => _registry = registry;

    /// <summary>Connections that are open or being set up now.</summary>
    public int Active => _registry.Count;

    /// <summary>Connections ever accepted, refused ones included.</summary>
    public long Accepted => _registry.Accepted;

    /// <summary>How many of those came as channels of a client's session, without a connection of their own.</summary>
    public long Channels => _registry.Channels;

    /// <summary>Connections that failed in set-up or were cut off.</summary>
    public long Failed => _registry.Failed;

    /// <summary>Clients that were turned away.</summary>
    public long Refused => _registry.Refused;

    /// <summary>Bytes towards destinations, of ended and open connections.</summary>
    public long BytesSent => _registry.Totals().Sent;

    /// <summary>Bytes towards clients, of ended and open connections.</summary>
    public long BytesReceived => _registry.Totals().Received;
}
