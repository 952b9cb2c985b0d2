using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Tunnels;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The private side of a tunnel: holds one connection to the gateway, publishes one service there, and joins each visitor to it. When the connection
/// is lost it is made again, and the tunnel gets the same name or port.
/// </summary>
/// <example>
/// <code>
/// await using var agent = new TunnelAgent(new TunnelAgentOptions
/// {
///     Gateway = GatewayAddress.Parse("tunnels://gateway.example.org:4443"),
///     Destination = TunnelDestination.Parse("http://127.0.0.1:8080"),
///     Identity = TunnelIdentity.Load("agent.pem"),
/// });
/// await agent.StartAsync();
/// Console.WriteLine(agent.Url);
/// </code>
/// </example>
public sealed partial class TunnelAgent : IProxyService
{
    private const string ServiceKind = "TunnelAgent";

    // how long a stop waits for subscribers to take the last events
    private static readonly TimeSpan SubscriberDeadline = TimeSpan.FromSeconds(1);

    private static int s_lastNumber;

    private readonly TunnelAgentOptions _options;
    private readonly ConnectionRegistry _visitors;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _stopping;

    /// <summary>Makes an agent; it connects after <see cref="StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public TunnelAgent(TunnelAgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        Name = options.Name.Length > 0 ? options.Name : $"{ServiceKind}{Interlocked.Increment(ref s_lastNumber)}";
        _visitors = new ConnectionRegistry(this, new ServiceIdentity(Name, ServiceKind, options.TimeProvider), options.EventCapacity);
        Counters = new ServiceCounters(_visitors);
        _dialer = new GatewayDialer(options);
        _joiner = new ServiceJoiner(options, _visitors);
        _backOff = new ReconnectBackOff(options.FirstRetry, options.MaxRetry);
    }

    /// <summary>Raised for each event, in order, on a pool thread.</summary>
    public event EventHandler<ProxyEvent>? EventWritten
    {
        add => _visitors.EventWritten += value;
        remove => _visitors.EventWritten -= value;
    }

    /// <inheritdoc />
    public void Subscribe(EventHandler<ProxyEvent> handler, IReadOnlyCollection<ProxyEventKind> kinds)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(kinds);
        _visitors.Subscribe(handler, EventKinds.Of(kinds));
    }

    /// <summary>The name used in messages and events.</summary>
    public string Name { get; }

    /// <summary>The options.</summary>
    public TunnelAgentOptions Options => _options;

    /// <summary>Totals of visitors since the start.</summary>
    public ServiceCounters Counters { get; }

    /// <summary>The newest events.</summary>
    public EventRing Events => _visitors.Events;

    /// <summary>Completes when the agent has stopped.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The public address, for example <c>https://blog.example.org</c>; empty before the first registration.</summary>
    public string Url => _granted?.Url ?? "";

    /// <summary>The public host name; empty for tunnels with a port, and before the first registration.</summary>
    public string HostName => _granted is { Port: null, Name: { } name } ? name : "";

    /// <summary>Host and port where the public connects; null before the first registration.</summary>
    public HostEndpoint? RemoteEndpoint =>
        System.Uri.TryCreate(Url, UriKind.Absolute, out Uri? url) && HostEndpoint.TryParse($"{url.Host}:{url.Port}", out HostEndpoint? endpoint, out _) ? endpoint : null;

    /// <summary>The round trip to the gateway; null while it is not known.</summary>
    public TimeSpan? RoundTrip => _session?.RoundTrip;

    /// <summary>The visitors that are there now.</summary>
    public IReadOnlyList<ProxyConnection> GetConnections() => _visitors.ToList();

    /// <summary>The chain on the way to the gateway.</summary>
    public IReadOnlyList<ProxyChain> GetChains() => [_options.Chain];

    /// <summary>
    /// Connects and registers. Returns when that is done, or when the first attempt failed in a way that further ones may mend (the gateway cannot
    /// be reached): they are made from then on, see <see cref="StatusMessage"/>.
    /// </summary>
    /// <exception cref="ProxyException">The gateway refuses for good (key, token, clock, name), or is not the one expected (TLS). The agent has stopped.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (State != TunnelAgentState.Created) throw new InvalidOperationException($"{Name} was started before.");
            State = TunnelAgentState.Connecting;
            _running = RunAsync();
        }
        try
        {
            await _started.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Takes no new visitors, gives those that are there <paramref name="grace"/> (by default the option StopTimeout) to finish, and leaves the
    /// gateway. A second call with a shorter grace hurries the first.
    /// </summary>
    public Task StopAsync(TimeSpan? grace = null)
    {
        Task stopping;
        lock (_gate) stopping = _stopping ??= StopCoreAsync();
        _hurry.CancelAfter(grace ?? _options.StopTimeout);
        return stopping;
    }

    /// <summary>Stops without grace.</summary>
    public ValueTask DisposeAsync() => new(StopAsync(TimeSpan.Zero));

    private async Task StopCoreAsync()
    {
        AgentSession? session = _session;
        if (State != TunnelAgentState.Stopped) State = TunnelAgentState.Stopping;
        await Task.Yield();
        if (session is not null) await session.LeaveAsync(_visitors, _hurry.Token).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (State != TunnelAgentState.Stopped) await EndAsync(null).ConfigureAwait(false);
    }

    private async ValueTask EndAsync(ProxyException? error)
    {
        lock (_gate) (State, LastError) = (TunnelAgentState.Stopped, error ?? LastError);
        _visitors.Write(ProxyEventKind.Stopped, error is null ? $"stopped; {_options.Destination} is not published any more" : error.Message, error?.Reason ?? ProxyErrorReason.None);
        await _visitors.FlushEventsAsync().WaitAsync(SubscriberDeadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _visitors.Dispose();
        _completion.TrySetResult();
    }
}
