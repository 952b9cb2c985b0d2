using System.Collections.Concurrent;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>The sessions that clients keep to the service.</summary>
public abstract partial class ListenerService
{
    private readonly ConcurrentDictionary<long, ProxySession> _sessions = [];

    /// <summary>The open sessions of clients. Those that the service itself keeps to next hops are in <see cref="Chains.Pool.SessionPool"/>.</summary>
    public IReadOnlyList<ProxySession> GetSessions() => [.. _sessions.Values];

    /// <summary>Lists a session until what is returned is disposed of.</summary>
    internal SessionListing List(MultiplexedSession session, ServedConnection carrier) => new(
        _sessions, new ProxySession(session, SessionDirection.Incoming, carrier.Record.Client, TransportOf(carrier), carrier.Record.Started, () => [Name]));

    /// <summary>How many of the open connections do not count where the limit is for channels alone.</summary>
    private protected virtual long Carriers => 0;

    /// <summary>
    /// Serves a channel of a client's session as a connection of its own, with a record and under all limits; returns when it has ended. It is
    /// served <paramref name="by"/> the given server, or by the service's own.
    /// </summary>
    internal Task ServeChannelAsync(DuplexConnection channel, ServedConnection carrier, IClientServer? by = null)
    {
        ServiceSetup setup = by is null ? Setup : Setup with { Clients = by };
        Registry.CountChannel();
        ClientShare? share = setup.Admission.TryEnter(carrier.Record.ClientEndPoint, out Refusal refusal);
        int limit = share is not null && State == ServiceState.Running ? (int)Math.Min(setup.Options.MaxConnections + Carriers, int.MaxValue) : 0;
        if (Registry.TryOpen(carrier.Record.ClientEndPoint, channel, limit) is { } record)
            return RunAsync(new ServedConnection(channel, record, SetUpClock.Rent(setup.Options.TimeProvider), share) { IsChannel = true, Addresses = carrier.Addresses }, setup);
        share?.Leave();
        return RefuseAsync(channel, share is null ? refusal : Refusal.TooMany, carrier.Record.ClientEndPoint, setup);
    }

    private string TransportOf(ServedConnection carrier) => (carrier.Client is WebSocketConnection, CurrentOptions.SpeaksTls) switch
    {
        (true, true) => "wss",
        (true, false) => "ws",
        (false, true) => "tls",
        _ => LocalPort == 0 ? "unix" : "tcp",
    };
}
