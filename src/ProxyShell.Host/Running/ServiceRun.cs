using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Host.Commands;

namespace ProxyShell.Host.Running;

/// <summary>One run of a configuration file, from its start to the signal that stops it; SIGHUP reads the file again.</summary>
internal sealed class ServiceRun(string file, EventLog log)
{
    /// <summary>Reads the file, and tells what is unsafe in it.</summary>
    public ProxyConfiguration Read()
    {
        ProxyConfiguration configuration = ProxyConfiguration.Load(file);
        foreach (string warning in configuration.Warnings) log.Write(LogLevel.Warning, warning);
        return configuration;
    }

    public async Task<int> RunAsync()
    {
        ProxyConfiguration configuration = Read();
        using var signals = new ServiceSignals(log);
        var services = new ConfiguredServices(log.Kinds);
        services.EventWritten += log.OnEvent;
        if (!await StartAsync(services, configuration, signals.Stopping).ConfigureAwait(false)) return ExitCode.Ok;
        while (await signals.HangUpAsync().ConfigureAwait(false)) await ReadAgainAsync(services, signals.Stopping).ConfigureAwait(false);
        Task stopping = services.StopAsync();
        if (await Task.WhenAny(stopping, signals.SecondStopAsync()).ConfigureAwait(false) != stopping) await services.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        await stopping.ConfigureAwait(false);
        return ExitCode.Ok;
    }

    // false when it was told to stop while agents were still waiting for their gateways
    private static async Task<bool> StartAsync(ConfiguredServices services, ProxyConfiguration configuration, CancellationToken stopping)
    {
        try
        {
            await services.StartAsync(configuration, stopping).ConfigureAwait(false);
            Tell(services.Running, services.RunningAgents);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task ReadAgainAsync(ConfiguredServices services, CancellationToken stopping)
    {
        try
        {
            ConfigurationChanges changes = await services.ApplyAsync(Read(), stopping).ConfigureAwait(false);
            log.Write(LogLevel.Info, $"SIGHUP: {file} was read again: {changes}");
            foreach (ServiceStartException failure in changes.Failures) log.Write(LogLevel.Error, $"{failure.Message}; it is not running");
            Tell(changes.Started, changes.StartedAgents);
        }
        catch (Exception e) when (e is FormatException or ServiceStartException)
        {
            log.Write(LogLevel.Error, $"SIGHUP: nothing is changed: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            // what is not started yet is not wanted any more
        }
    }

    private static void Tell(IReadOnlyList<ListenerService> started, IReadOnlyList<TunnelAgent> agents)
    {
        foreach (ListenerService service in started) Console.WriteLine(ServiceLine.Describe(service));
        foreach (TunnelAgent agent in agents) Console.WriteLine(ServiceLine.Describe(agent));
    }
}
