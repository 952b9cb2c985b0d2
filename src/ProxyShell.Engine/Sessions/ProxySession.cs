using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Sessions;

/// <summary>A session between proxies as users see it: live while it is open, final afterwards.</summary>
public sealed class ProxySession
{
    private static long s_lastId;

    private readonly MultiplexedSession _session;
    private readonly Func<IReadOnlyList<string>> _services;

    internal ProxySession(MultiplexedSession session, SessionDirection direction, string peer, string transport, DateTimeOffset started, Func<IReadOnlyList<string>> services)
    {
        (_session, Direction, Peer, Transport, Started, _services) = (session, direction, peer, transport, started, services);
        Id = Interlocked.Increment(ref s_lastId);
    }

    /// <summary>A number that is unique in the process.</summary>
    public long Id { get; }

    /// <summary>Who began it.</summary>
    public SessionDirection Direction { get; }

    /// <summary>The peer's address: that of the hop, or that of the client.</summary>
    public string Peer { get; }

    /// <summary>What it runs over: <c>tcp</c>, <c>tls</c>, <c>unix</c>, <c>ws</c> or <c>wss</c>.</summary>
    public string Transport { get; }

    /// <summary>The services that use it, by name; none when a test or a program without a service began it.</summary>
    public IReadOnlyList<string> Services => _services();

    /// <summary>Channels that are open now.</summary>
    public int Channels => _session.ChannelCount;

    /// <summary>Channels that were opened so far.</summary>
    public long OpenedChannels => Direction == SessionDirection.Outgoing ? _session.OfferedCount : _session.AcceptedCount;

    /// <summary>What the receive windows of all channels come to, in bytes: the most that can wait in memory for readers.</summary>
    public long Window => _session.Windows;

    /// <summary>The shortest round trip of the last seconds; null as long as there was nothing to measure.</summary>
    public TimeSpan? RoundTrip => _session.RoundTrip;

    /// <summary>When it began.</summary>
    public DateTimeOffset Started { get; }

    /// <summary>How long ago it began.</summary>
    public TimeSpan Age => _session.Age;

    /// <summary>Bytes that channels have sent.</summary>
    public long BytesSent => _session.BytesSent;

    /// <summary>Bytes that channels have received.</summary>
    public long BytesReceived => _session.BytesReceived;

    /// <summary>Whether it is open.</summary>
    public bool IsOpen => !_session.Completion.IsCompleted;

    /// <summary>What it ended with; null while it is open, and after an orderly end.</summary>
    public ProxyException? LastError { get; internal set; }

    /// <summary>Ends it at once; its channels fail.</summary>
    public void Abort() => _session.Abort();

    /// <summary>The id, where it leads and how many channels are open in it.</summary>
    public override string ToString() =>
        $"session {Id} {(Direction == SessionDirection.Outgoing ? "to" : "from")} {Peer} ({Channels} channel{(Channels == 1 ? "" : "s")})";
}
