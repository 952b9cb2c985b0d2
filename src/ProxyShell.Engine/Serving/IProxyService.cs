using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Serving;

/// <summary>What those who run and watch a service may rely on, whether it listens or, as the agent of a tunnel, dials.</summary>
public interface IProxyService : IAsyncDisposable
{
    /// <summary>Raised for each event, in order, on a pool thread.</summary>
    event EventHandler<ProxyEvent>? EventWritten;

    /// <summary>
    /// Has the handler told of events of these kinds only, in order, on a pool thread, until it is taken from <see cref="EventWritten"/>. Kinds that
    /// nobody takes are not handed over to the pool, which spares a busy service that work for each connection.
    /// </summary>
    void Subscribe(EventHandler<ProxyEvent> handler, IReadOnlyCollection<ProxyEventKind> kinds);

    /// <summary>The name used in messages and events.</summary>
    string Name { get; }

    /// <summary>Totals since the start.</summary>
    ServiceCounters Counters { get; }

    /// <summary>The newest events.</summary>
    EventRing Events { get; }

    /// <summary>Completes when the service has stopped.</summary>
    Task Completion { get; }

    /// <summary>The open connections.</summary>
    IReadOnlyList<ProxyConnection> GetConnections();

    /// <summary>The open sessions of clients; none where clients have none.</summary>
    IReadOnlyList<ProxySession> GetSessions() => [];

    /// <summary>The chains that are in use.</summary>
    IReadOnlyList<ProxyChain> GetChains();

    /// <summary>Starts the service; it serves when the task has completed.</summary>
    Task StartAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes no new connections, gives the open ones <paramref name="grace"/> (null: what the options say) to finish, and ends.</summary>
    Task StopAsync(TimeSpan? grace = null);
}
