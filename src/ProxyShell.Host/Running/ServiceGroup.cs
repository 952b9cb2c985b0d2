using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Host.Commands;

namespace ProxyShell.Host.Running;

/// <summary>Services that run together or not at all.</summary>
internal sealed class ServiceGroup(IReadOnlyList<ListenerService> services, EventLog log)
{
    // events are told on pool threads; the last ones are given this long to reach the log
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly List<Task> _told = [];

    public IReadOnlyList<ListenerService> Services => services;

    /// <summary>Starts all; when one cannot, says why, stops the others and returns false.</summary>
    public async Task<bool> StartAsync()
    {
        foreach (ListenerService service in services)
        {
            service.EventWritten += log.OnEvent;
            try
            {
                await service.StartAsync().ConfigureAwait(false);
                _told.Add(StopToldAsync(service));
            }
            catch (Exception e) when (e is ProxyException or FormatException)
            {
                CommandLine.Fail($"{service.Name} cannot start: {e.Message}");
                await StopNowAsync().ConfigureAwait(false);
                return false;
            }
        }
        return true;
    }

    /// <summary>Stops all at the same time; each gives its connections its own time to finish.</summary>
    public Task StopAsync() => StopAsync(null);

    /// <summary>Stops all without waiting for connections.</summary>
    public Task StopNowAsync() => StopAsync(TimeSpan.Zero);

    private async Task StopAsync(TimeSpan? grace)
    {
        await Task.WhenAll(services.Select(service => service.StopAsync(grace))).ConfigureAwait(false);
        await Task.WhenAll(_told).WaitAsync(LastWords).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static Task StopToldAsync(ListenerService service)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        service.EventWritten += (_, item) =>
        {
            if (item.Kind == ProxyEventKind.Stopped) told.TrySetResult();
        };
        return told.Task;
    }
}
