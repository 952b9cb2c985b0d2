using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// The services of a configuration, and the agents of its tunnels, as they run: started together or not at all, and changed together when there
/// is another configuration. Start, changes and stop are to be awaited one after another.
/// </summary>
public sealed class ConfiguredServices : IAsyncDisposable
{
    // an accept call that is just under way holds a closed socket for a moment
    private const int BindAttempts = 50;
    private static readonly TimeSpan BindPause = TimeSpan.FromMilliseconds(20);

    private readonly List<ListenerService> _leaving = [];
    private readonly ConfiguredAgents _agents;
    private readonly IReadOnlyCollection<ProxyEventKind> _kinds;
    private IReadOnlyList<ListenerService> _running = [];
    private TimeSpan? _grace;

    /// <summary>Nothing runs yet.</summary>
    public ConfiguredServices()
        : this(Enum.GetValues<ProxyEventKind>())
    {
    }

    /// <summary>Nothing runs yet. Events of other than these kinds are not raised, which spares busy services that work.</summary>
    public ConfiguredServices(IReadOnlyCollection<ProxyEventKind> kinds)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        _kinds = kinds;
        _agents = new ConfiguredAgents(OnEvent, kinds);
    }

    /// <summary>Raised for each event, of the kinds that are wanted, of each service and agent, those that come and go included.</summary>
    public event EventHandler<ProxyEvent>? EventWritten;

    /// <summary>The services that run, without those that are finishing.</summary>
    public IReadOnlyList<ListenerService> Running => _running;

    /// <summary>The agents of tunnels that run, without those that are finishing.</summary>
    public IReadOnlyList<TunnelAgent> RunningAgents => _agents.Running;

    /// <summary>Starts the services of the configuration, then its agents, which go on trying when their gateways cannot be reached.</summary>
    /// <exception cref="ServiceStartException">A service cannot start, or a gateway refuses an agent for good; none runs then.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting for gateways; none runs then.</exception>
    public async Task StartAsync(ProxyConfiguration configuration, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        IReadOnlyList<AgentTransition> agents = AgentTransition.Plan([], configuration);
        (_running, IReadOnlyList<TunnelAgent> started) = await StartTogetherAsync(configuration.CreateServices(), agents, cancellationToken).ConfigureAwait(false);
        _agents.Take(agents, started);
    }

    /// <summary>
    /// Makes the running services what another configuration says. Services are told apart by kind and name. Those in both take their
    /// options as they run, and open connections live on; one whose change needs a restart is replaced, and so is every agent that has changed. Added
    /// ones are started, and those that are not there any more stop, with time for their connections to finish.
    /// </summary>
    /// <exception cref="ServiceStartException">A service cannot start, or a gateway refuses an agent for good; everything is as it was.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting for an address or a gateway: some of the services may be missing.</exception>
    public async Task<ConfigurationChanges> ApplyAsync(ProxyConfiguration configuration, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        IReadOnlyList<ServiceTransition> plan = ServiceTransition.Plan(_running, configuration);
        ListenerService[] removed = [.. _running.Except(plan.Select(step => step.Running).OfType<ListenerService>())];
        ListenerService[] leaving = [.. removed, .. plan.Where(step => step.Obstacle is not null).Select(step => step.Running!)];
        ILookup<bool, ListenerService> coming = plan.Where(step => step.Starts).Select(step => step.Create()).ToLookup(service => leaving.Any(old => SharesAddress(old, service)));
        // what may fail comes first, while nothing is changed yet
        IReadOnlyList<AgentTransition> agents = AgentTransition.Plan(_agents.Running, configuration);
        (IReadOnlyList<ListenerService> started, IReadOnlyList<TunnelAgent> startedAgents) = await StartTogetherAsync([.. coming[false]], agents, cancellationToken).ConfigureAwait(false);
        _running = [.. _running, .. started];
        foreach (ServiceTransition step in plan.Where(step => step.IsChange)) step.Reconfigure();
        Leave(leaving);
        IReadOnlyList<TunnelAgent> left = _agents.Take(agents, startedAgents);
        List<ServiceStartException> failures = [];
        started = [.. started, .. await ReplaceAsync(leaving, [.. coming[true]], failures, cancellationToken).ConfigureAwait(false)];
        _running = [.. plan.Select(step => step.Starts ? started.FirstOrDefault(service => service.Name == step.Name) : step.Running).OfType<ListenerService>()];
        ConfigurationChanges changes = Describe(plan, removed, started, failures);
        return changes with
        {
            Restarted = [.. changes.Restarted, .. agents.Where(step => step.Change is not null).Select(step => new ServiceRestart(step.Wanted.Name, step.Change!))],
            Added = [.. changes.Added, .. agents.Where(step => step.Running is null).Select(step => step.Wanted.Name)],
            Removed = [.. changes.Removed, .. left.Except(agents.Select(step => step.Running)).Select(agent => agent!.Name)],
            Unchanged = changes.Unchanged + agents.Count(step => !step.Starts),
            StartedAgents = startedAgents,
        };
    }

    /// <summary>
    /// Stops all, those that are finishing too; each gives its connections its own time, or this one when it is given. Agents go first, whose way may
    /// lead through the services here. A second call with a shorter time hurries the first.
    /// </summary>
    public async Task StopAsync(TimeSpan? grace = null)
    {
        _grace = grace ?? _grace;
        await _agents.StopAsync(_grace).ConfigureAwait(false);
        ListenerService[] all = [.. _running, .. _leaving];
        await Task.WhenAll(all.Select(service => service.StopAsync(_grace))).ConfigureAwait(false);
    }

    /// <summary>Stops without grace.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    // services first: an agent's way, and its gateway, may be among them
    private async Task<(IReadOnlyList<ListenerService> Services, IReadOnlyList<TunnelAgent> Agents)> StartTogetherAsync(
        IReadOnlyList<ListenerService> services, IReadOnlyList<AgentTransition> agents, CancellationToken cancellationToken)
    {
        try
        {
            foreach (ListenerService service in services)
            {
                service.Subscribe(OnEvent, _kinds);
                await StartAsync(service).ConfigureAwait(false);
            }
            return (services, await _agents.StartAsync(agents, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is ServiceStartException or OperationCanceledException)
        {
            await Task.WhenAll(services.Select(one => one.StopAsync(TimeSpan.Zero))).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task StartAsync(ListenerService service)
    {
        try
        {
            await service.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or FormatException)
        {
            throw new ServiceStartException(service.Name, e);
        }
    }

    private void Leave(IReadOnlyList<ListenerService> services)
    {
        _leaving.RemoveAll(service => service.State == ServiceState.Stopped);
        _leaving.AddRange(services);
        _running = [.. _running.Except(services)];
        foreach (ListenerService service in services) _ = service.StopAsync();
    }

    // an address is free as soon as its service accepts nobody any more
    private async Task<List<ListenerService>> ReplaceAsync(ListenerService[] leaving, ListenerService[] coming, List<ServiceStartException> failures, CancellationToken cancellationToken)
    {
        List<ListenerService> started = [];
        foreach (ListenerService service in coming)
        {
            await Task.WhenAll(leaving.Where(old => SharesAddress(old, service)).Select(old => old.AddressFreed)).WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                service.Subscribe(OnEvent, _kinds);
                await StartOnFreedAsync(service, cancellationToken).ConfigureAwait(false);
                started.Add(service);
                _running = [.. _running, service];
            }
            catch (ServiceStartException e)
            {
                failures.Add(e);
            }
        }
        return started;
    }

    private static async Task StartOnFreedAsync(ListenerService service, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await StartAsync(service).ConfigureAwait(false);
                return;
            }
            catch (ServiceStartException e) when (attempt < BindAttempts && e.InnerException is ProxyException { Reason: ProxyErrorReason.AddressInUse })
            {
                await Task.Delay(BindPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool SharesAddress(ListenerService old, ListenerService added) =>
        old.LocalEndPoints.Any(one => added.LocalEndPoints.Any(other => IsShared(one, other)));

    private static bool IsShared(EndPoint used, EndPoint wanted) => (used, wanted) switch
    {
        (IPEndPoint one, IPEndPoint other) => one.Port == other.Port && (one.Address.Equals(other.Address) || IsAny(one.Address) || IsAny(other.Address)),
        var (one, other) => one.ToString() == other.ToString(),
    };

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static ConfigurationChanges Describe(
        IReadOnlyList<ServiceTransition> plan, ListenerService[] removed, IReadOnlyList<ListenerService> started, IReadOnlyList<ServiceStartException> failures)
    {
        bool Runs(ServiceTransition step) => started.Any(service => service.Name == step.Name);
        return new ConfigurationChanges
        {
            Changed = [.. plan.Where(step => step.IsChange).Select(step => step.Name)],
            Restarted = [.. plan.Where(step => step.Obstacle is not null && Runs(step)).Select(step => new ServiceRestart(step.Name, step.Obstacle!))],
            Added = [.. plan.Where(step => step.Running is null && Runs(step)).Select(step => step.Name)],
            Removed = [.. removed.Select(service => service.Name)],
            Unchanged = plan.Count(step => !step.Starts && !step.IsChange),
            Started = started,
            Failures = failures,
        };
    }

    private void OnEvent(object? sender, ProxyEvent item) => EventWritten?.Invoke(sender, item);
}
