using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Routing;

/// <summary>The way out of a service: chooses the chain for a destination and connects. What it goes by can be exchanged at any time.</summary>
internal sealed partial class Outbound(ChainConnector connector, RouteTable routes)
{
    private readonly Lock _gate = new();
    private volatile RouteTable _routes = routes;
    private ChainWatch? _watch;
    private bool _stopped;

    /// <summary>What it goes by; connections under way are not touched by an exchange. The chains of the new one are probed from then on.</summary>
    public RouteTable Routes
    {
        get => _routes;
        set
        {
            lock (_gate)
            {
                _routes = value;
                _watch?.Watch(value.Chains);
            }
        }
    }

    /// <summary>Begins to probe the alternates of the chains; what happens to them is told as events.</summary>
    public void StartWatching(ConnectionRegistry events)
    {
        lock (_gate)
        {
            if (_stopped) return;
            _watch ??= new ChainWatch(connector.Paths, connector.Time, (message, reason) => events.Write(ProxyEventKind.Health, message, reason));
            _watch.Watch(_routes.Chains);
        }
    }

    /// <summary>Ends probing; returns when the last probe has ended.</summary>
    public async ValueTask StopWatchingAsync()
    {
        ChainWatch? watch;
        lock (_gate) (watch, _watch, _stopped) = (_watch, null, true);
        if (watch is not null) await watch.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Uses sessions on behalf of a service, which is told of them as events.</summary>
    public void UseSessions(string service, SessionPooling sessions, ConnectionRegistry events) =>
        connector.UseSessions(new SessionUser(service, (message, reason) => events.Write(ProxyEventKind.Session, message, reason)), sessions);

    /// <summary>Closes the sessions that no other service uses.</summary>
    public Task LeaveSessionsAsync() => connector.LeaveSessionsAsync();

    /// <summary>The way to a destination; the route's policy still has to agree to it.</summary>
    /// <exception cref="ProxyException">It is blocked: <see cref="ProxyErrorReason.Forbidden"/>, stage Policy, no hop.</exception>
    public Route Choose(HostEndpoint destination) => _routes.Choose(TransportAddress.Tcp(destination));

    /// <summary>Connects, and notes on the record which way was taken; every alternate on it gets its share of the time limit.</summary>
    public ValueTask<DuplexConnection> ConnectAsync(ProxyConnection record, FlightTarget target, EarlyPayload? early, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        Route route = _routes.Choose(target.Address!);
        record.Chain = route.Chain.ToString();
        var request = new ChainRequest(route.Chain, target, route.Policy) { TimeLimit = timeLimit, Early = early, Trying = Note(route.Chain, record) };
        return connector.ConnectAsync(request, cancellationToken);
    }

    // without alternates the chain says it all
    private static Action<ChainPath>? Note(ProxyChain chain, ProxyConnection record) => chain.HasAlternates ? NoteOf(record) : null;

    private static Action<ChainPath> NoteOf(ProxyConnection record) => path => record.Chain = path.ToString();
}
