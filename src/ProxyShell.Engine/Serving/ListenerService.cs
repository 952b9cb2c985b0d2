using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// A service that listens on one address: it accepts, holds the limits, keeps the live connections, and stops in two phases
/// (no new connections and time to finish, then abort). What a connection means is up to the derived class.
/// </summary>
public abstract partial class ListenerService : IProxyService
{
    // after an abort only code is left to run, no waiting for peers
    private static readonly TimeSpan AbortDeadline = TimeSpan.FromSeconds(5);

    // how long a stop waits for subscribers to take the last events
    private static readonly TimeSpan SubscriberDeadline = TimeSpan.FromSeconds(1);

    private static readonly ConcurrentDictionary<string, int> LastNumbers = new();

    private readonly ClientTable _clients;
    private readonly RefusalLog _refusals;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _hurry = new();
    private ConnectionListener? _listener;
    private ConnectionSweeper? _sweeper;
    private volatile ServiceSetup? _setup;
    private Task? _stopping;

    private protected ListenerService(ServiceOptions options, string kind)
    {
        options.Validate();
        Kind = kind;
        BindAddress = ListenAddress.Parse(options.LocalAddress, options.LocalPort);
        Name = options.Name.Length > 0 ? options.Name : $"{kind}{LastNumbers.AddOrUpdate(kind, 1, (_, last) => last + 1)}";
        Registry = new ConnectionRegistry(this, new ServiceIdentity(Name, kind, options.TimeProvider), options.EventCapacity);
        Counters = new ServiceCounters(Registry);
        _clients = new ClientTable(options.TimeProvider);
        _refusals = new RefusalLog(Registry, options.TimeProvider);
    }

    /// <summary>Raised for each event, in order, on a pool thread.</summary>
    public event EventHandler<ProxyEvent>? EventWritten
    {
        add => Registry.EventWritten += value;
        remove => Registry.EventWritten -= value;
    }

    /// <inheritdoc />
    public void Subscribe(EventHandler<ProxyEvent> handler, IReadOnlyCollection<ProxyEventKind> kinds)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(kinds);
        Registry.Subscribe(handler, EventKinds.Of(kinds));
    }

    /// <summary>The name used in messages and events.</summary>
    public string Name { get; }

    /// <summary>The kind of service, <c>ProxyServer</c> or <c>AccessListener</c>.</summary>
    public string Kind { get; }

    /// <summary>Where the service is in its life.</summary>
    public ServiceState State { get; private set; }

    /// <summary>Totals since the start.</summary>
    public ServiceCounters Counters { get; }

    /// <summary>The newest events.</summary>
    public EventRing Events => Registry.Events;

    /// <summary>The bound address; before the start the one asked for.</summary>
    public EndPoint LocalEndPoint => _listener?.LocalEndPoint ?? _datagrams?.LocalEndPoint ?? BindAddress;

    /// <summary>The bound port; 0 for Unix sockets.</summary>
    public int LocalPort => (LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>The address as others can use it: a hop URI for proxy servers, <c>tcp://host:port</c> for access listeners.</summary>
    public abstract string Uri { get; }

    /// <summary>Completes when the service has stopped.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Completes during a stop, when another service can listen on the address; connections may still be finishing then.</summary>
    public Task AddressFreed => _freed.Task;

    internal ConnectionRegistry Registry { get; }

    private protected EndPoint BindAddress { get; }

    /// <summary>The options it goes by now.</summary>
    private protected ServiceOptions CurrentOptions => Setup.Options;

    private ServiceSetup Setup => _setup!;

    /// <summary>The way out, whose chains are probed while the service runs; null when it has none.</summary>
    private protected virtual Outbound? Outbound => null;

    /// <summary>The chains that connections may take now: those of the rules, and the one for what no rule matches.</summary>
    public IReadOnlyList<ProxyChain> GetChains() => Outbound is { } outbound ? [.. outbound.Routes.Chains.Distinct()] : [];

    /// <summary>The open connections.</summary>
    public IReadOnlyList<ProxyConnection> GetConnections() => Registry.ToList();

    /// <summary>Binds and starts accepting.</summary>
    /// <exception cref="ProxyException">The address cannot be bound; the message names it.</exception>
    /// <exception cref="FormatException">The options would open the machine to strangers.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        RefuseStrangers();
        if (BindAddress is UnixDomainSocketEndPoint path) await ListenAddress.RemoveStaleSocketAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                if (State != ServiceState.Created) throw new InvalidOperationException($"{Name} was started before.");
                Bind();
                BindEntrances();
                _sweeper = new ConnectionSweeper(Registry, CurrentOptions);
                State = ServiceState.Running;
            }
        }
        catch (ProxyException)
        {
            await UnbindAsync().ConfigureAwait(false);
            throw;
        }
        ProtectSocketFile();
        Registry.Write(ProxyEventKind.Started, $"listening on {Listening}");
        Outbound?.StartWatching(Registry);
        _listener?.Start(OnAccepted, error => OnAcceptTrouble(LocalEndPoint, error));
        StartEntrances();
        if (_datagrams is not null) Datagrams!.Start(this, _datagrams);
        OnStarted();
    }

    /// <summary>
    /// Stops accepting, gives open connections <paramref name="grace"/> (by default the option StopTimeout) to finish, then aborts them.
    /// A second call with a shorter grace hurries the first.
    /// </summary>
    public Task StopAsync(TimeSpan? grace = null)
    {
        Task stopping;
        lock (_gate)
        {
            if (State == ServiceState.Created) Finish();
            stopping = _stopping ??= State == ServiceState.Stopped ? Task.CompletedTask : StopCoreAsync();
        }
        _hurry.CancelAfter(grace ?? CurrentOptions.StopTimeout);
        return stopping;
    }

    /// <summary>Stops without grace.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private async Task StopCoreAsync()
    {
        State = ServiceState.Stopping;
        await Task.Yield();
        if (_listener is not null) await _listener.DisposeAsync().ConfigureAwait(false);
        await CloseEntrancesAsync().ConfigureAwait(false);
        RemoveSocketFile();
        OnStopping();
        if (_datagrams is null) _freed.TrySetResult();
        await Registry.BeginStopAsync().ConfigureAwait(false);
        if (Outbound is { } outbound) await outbound.StopWatchingAsync().ConfigureAwait(false);
        // flows that are open still need the datagram socket
        _sweeper!.Hurry();
        await Registry.WhenEmptyAsync().WaitAsync(_hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (ProxyConnection connection in Registry.ToList()) connection.Abort(ProxyErrorReason.Stopping);
        await Registry.WhenEmptyAsync().WaitAsync(AbortDeadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Registry.Count > 0) Registry.Write(ProxyEventKind.Warning, $"{Registry.Count} connections did not end within {AbortDeadline.TotalSeconds} s of their abort");
        if (Outbound is { } user) await user.LeaveSessionsAsync().WaitAsync(AbortDeadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await OnEmptiedAsync().ConfigureAwait(false);
        _datagrams?.Dispose();
        _freed.TrySetResult();
        await _sweeper.DisposeAsync().ConfigureAwait(false);
        Registry.Write(ProxyEventKind.Stopped, $"stopped listening on {LocalEndPoint}");
        await Registry.FlushEventsAsync().WaitAsync(SubscriberDeadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Registry.Dispose();
        lock (_gate) Finish();
    }

    private void Finish()
    {
        State = ServiceState.Stopped;
        _freed.TrySetResult();
        _completion.TrySetResult();
    }

    /// <summary>Throws a <see cref="FormatException"/> when the options would open the machine to strangers.</summary>
    internal void RefuseStrangers() => RefuseStrangers(CurrentOptions);

    private void RefuseStrangers(ServiceOptions options)
    {
        if (ListenAddress.IsLocalOnly(BindAddress) || options.AllowAnonymous || options.AuthenticatesClients) return;
        throw new FormatException(
            $"{Kind} would listen on {BindAddress}, where others can reach it, and nothing authenticates them: {options.Remedy}listen on 127.0.0.1, or say AllowAnonymous.");
    }

    // what listens on a Unix socket is for the same user, as on loopback it is for the same machine
    private void ProtectSocketFile()
    {
        if (BindAddress is UnixDomainSocketEndPoint && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(BindAddress.ToString()!, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void RemoveSocketFile()
    {
        if (BindAddress is not UnixDomainSocketEndPoint) return;
        try
        {
            File.Delete(BindAddress.ToString()!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // gone with its folder, or out of reach by now: no reason not to stop
            Registry.Write(ProxyEventKind.Warning, $"cannot remove {LocalEndPoint}: {e.Message}");
        }
    }

    /// <summary>No connection is left: what was kept for the next ones is not needed any more.</summary>
    private protected virtual ValueTask OnEmptiedAsync() => ValueTask.CompletedTask;

    /// <summary>The service accepts.</summary>
    private protected virtual void OnStarted()
    {
    }

    /// <summary>No more connections come; those that are open are given time. What a derived class holds open ends when they have.</summary>
    private protected virtual void OnStopping()
    {
    }

    private void OnAcceptTrouble(EndPoint at, Exception error) =>
        Registry.Write(ProxyEventKind.Warning, $"cannot accept on {at}: {error.Message}; trying again", ProxyErrorReason.ResourceExhausted);
}
