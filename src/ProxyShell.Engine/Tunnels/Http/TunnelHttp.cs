using System.Runtime.CompilerServices;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// The public's HTTP of a gateway: makes the servers of its ports, and keeps what outlives a change of options: connections to services,
/// counts of requests, the access log.
/// </summary>
internal sealed class TunnelHttp : IAsyncDisposable
{
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(2);

    private readonly ConnectionRegistry _registry;
    private readonly ConditionalWeakTable<TunnelRegistration, ServiceConnections> _connections = [];
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private TunnelHttpOptions _options;
    private AccessLog? _accessLog;
    private ITimer? _sweeper;

    public TunnelHttp(TunnelDirectory directory, ConnectionRegistry registry, TunnelGatewayOptions options)
    {
        (Directory, _registry, _time, _options) = (directory, registry, options.TimeProvider, options.Http);
        Stopping = _stopping.Token;
        TunnelRates = new RequestRates<string>(_time);
        ClientRates = new RequestRates<ClientKey>(_time);
        TunnelClientRates = new RequestRates<(string, ClientKey)>(_time);
        Use(options.Http);
    }

    public TunnelDirectory Directory { get; }

    /// <summary>Cancelled when the gateway stops: clients are not waited for any more, and those that have asked are served their last response.</summary>
    public CancellationToken Stopping { get; }

    public AccessLog? AccessLog => Volatile.Read(ref _accessLog);

    /// <summary>Requests of each tunnel.</summary>
    public RequestRates<string> TunnelRates { get; }

    /// <summary>Requests of each client.</summary>
    public RequestRates<ClientKey> ClientRates { get; }

    /// <summary>Requests of each client to each tunnel.</summary>
    public RequestRates<(string Tunnel, ClientKey Client)> TunnelClientRates { get; }

    /// <summary>Makes the server of the port for HTTP.</summary>
    public IClientServer MakeServer(TunnelGatewayOptions options)
    {
        Use(options.Http);
        return new TunnelHttpServer(new TunnelHttpContext(options, _registry, this, TunnelHttpContext.Plain));
    }

    /// <summary>Makes the server of the port for HTTPS, and for the TLS that agents end themselves.</summary>
    public IClientServer MakeTlsServer(TunnelGatewayOptions options)
    {
        Use(options.Http);
        var context = new TunnelHttpContext(options, _registry, this, TunnelHttpContext.Secure);
        return new TunnelTlsServer(context, new TunnelHttpServer(context), options.SpeaksTls ? MakeTls(options) : null);
    }

    /// <summary>The connections to the service of an agent that wait for a request.</summary>
    public ServiceConnections ConnectionsOf(TunnelRegistration registration)
    {
        if (_connections.TryGetValue(registration, out ServiceConnections? known)) return known;
        lock (_gate) _sweeper ??= _time.CreateTimer(static state => ((TunnelHttp)state!).Sweep(), this, SweepPause, SweepPause);
        ServiceConnections connections = _connections.GetOrAdd(registration, _ => new ServiceConnections(_time));
        registration.Leaving.UnsafeRegister(static state => ((ServiceConnections)state!).Close(), connections);
        return connections;
    }

    /// <summary>The gateway is stopping: clients that are between two requests are let go.</summary>
    public void Hurry() => _stopping.Cancel();

    /// <summary>No more requests come: what waits for one is closed, and what was written down gets to the disk.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        if (_sweeper is not null) await _sweeper.DisposeAsync().ConfigureAwait(false);
        foreach ((_, ServiceConnections connections) in _connections) connections.Close();
        if (AccessLog is { } log) await log.DisposeAsync().ConfigureAwait(false);
    }

    private void Use(TunnelHttpOptions options)
    {
        lock (_gate)
        {
            _options = options;
            if (_accessLog?.Options == options.AccessLog) return;
            AccessLog? old = _accessLog;
            _accessLog = options.AccessLog is { } chosen ? new AccessLog(chosen, _time, message => _registry.Write(ProxyEventKind.Warning, message)) : null;
            // finishes with what it was given
            if (old is not null) _ = old.DisposeAsync().AsTask();
        }
    }

    // the public is not asked for certificates: these are for agents
    private TlsServer MakeTls(TunnelGatewayOptions options) => new(
        options.ServerCertificates, clients: null, _time, (message, isWarning) => _registry.Write(isWarning ? ProxyEventKind.Warning : ProxyEventKind.Reconfigured, message));

    private void Sweep()
    {
        foreach ((_, ServiceConnections connections) in _connections) connections.CloseOlder(_options.ServiceKeepAliveTimeout);
    }
}
