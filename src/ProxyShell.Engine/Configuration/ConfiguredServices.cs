using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// The services of a configuration, as they run: started together or not at all, and changed together when there is another
/// configuration. Start, changes and stop are to be awaited one after another.
/// </summary>
public sealed class ConfiguredServices : IAsyncDisposable
{
    // an accept call that is just under way holds a closed socket for a moment
    private const int BindAttempts = 50;
    private static readonly TimeSpan BindPause = TimeSpan.FromMilliseconds(20);

    private readonly List<ListenerService> _leaving = [];
    private IReadOnlyList<ListenerService> _running = [];

    /// <summary>Raised for each event of each service, those that come and go included.</summary>
    public event EventHandler<ProxyEvent>? EventWritten;

    /// <summary>The services that run, without those that are finishing.</summary>
    public IReadOnlyList<ListenerService> Running => _running;

    /// <summary>Starts the services of the configuration.</summary>
    /// <exception cref="ServiceStartException">One cannot start; none runs then.</exception>
    public async Task StartAsync(ProxyConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        _running = await StartTogetherAsync(configuration.CreateServices()).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the running services what another configuration says. Services are told apart by kind and name. Those in both take their
    /// options as they run, and open connections live on; one whose change needs a restart is replaced. Added ones are started, and those
    /// that are not there any more stop, with time for their connections to finish.
    /// </summary>
    /// <exception cref="ServiceStartException">A service cannot start; everything is as it was.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting for an address: some of the services may be missing.</exception>
    public async Task<ConfigurationChanges> ApplyAsync(ProxyConfiguration configuration, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        IReadOnlyList<ServiceTransition> plan = ServiceTransition.Plan(_running, configuration);
        ListenerService[] removed = [.. _running.Except(plan.Select(step => step.Running).OfType<ListenerService>())];
        ListenerService[] leaving = [.. removed, .. plan.Where(step => step.Obstacle is not null).Select(step => step.Running!)];
        ILookup<bool, ListenerService> coming = plan.Where(step => step.Starts).Select(step => step.Create()).ToLookup(service => leaving.Any(old => SharesAddress(old, service)));
        // what may fail comes first, while nothing is changed yet
        IReadOnlyList<ListenerService> started = await StartTogetherAsync([.. coming[false]]).ConfigureAwait(false);
        _running = [.. _running, .. started];
        foreach (ServiceTransition step in plan.Where(step => step.IsChange)) step.Reconfigure();
        Leave(leaving);
        List<ServiceStartException> failures = [];
        started = [.. started, .. await ReplaceAsync(leaving, [.. coming[true]], failures, cancellationToken).ConfigureAwait(false)];
        _running = [.. plan.Select(step => step.Starts ? started.FirstOrDefault(service => service.Name == step.Name) : step.Running).OfType<ListenerService>()];
        return Describe(plan, removed, started, failures);
    }

    /// <summary>Stops all, those that are finishing too; each gives its connections its own time, or this one when it is given.</summary>
    public Task StopAsync(TimeSpan? grace = null)
    {
        ListenerService[] all = [.. _running, .. _leaving];
        return Task.WhenAll(all.Select(service => service.StopAsync(grace)));
    }

    /// <summary>Stops without grace.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private async Task<IReadOnlyList<ListenerService>> StartTogetherAsync(IReadOnlyList<ListenerService> services)
    {
        foreach (ListenerService service in services)
        {
            try
            {
                service.EventWritten += OnEvent;
                await StartAsync(service).ConfigureAwait(false);
            }
            catch (ServiceStartException)
            {
                await Task.WhenAll(services.Select(one => one.StopAsync(TimeSpan.Zero))).ConfigureAwait(false);
                throw;
            }
        }
        return services;
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
                service.EventWritten += OnEvent;
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

    private static bool SharesAddress(ListenerService old, ListenerService added) => (old.LocalEndPoint, added.LocalEndPoint) switch
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
