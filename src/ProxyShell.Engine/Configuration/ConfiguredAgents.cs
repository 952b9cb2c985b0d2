using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>The agents of a configuration, as they run, and those that are finishing. Not thread-safe, as <see cref="ConfiguredServices"/>.</summary>
internal sealed class ConfiguredAgents(EventHandler<ProxyEvent> onEvent, IReadOnlyCollection<ProxyEventKind> kinds)
{
    private readonly List<TunnelAgent> _leaving = [];

    public IReadOnlyList<TunnelAgent> Running { get; private set; } = [];

    /// <summary>
    /// Starts the agents that the plan wants, all at the same time: one that does not reach its gateway goes on trying and holds up the others no
    /// longer than its deadlines.
    /// </summary>
    /// <exception cref="ServiceStartException">A gateway refuses one for good; none of them runs then.</exception>
    public async Task<IReadOnlyList<TunnelAgent>> StartAsync(IReadOnlyList<AgentTransition> plan, CancellationToken cancellationToken)
    {
        TunnelAgent[] agents = [.. plan.Where(step => step.Starts).Select(step => new TunnelAgent(step.Wanted))];
        try
        {
            await Task.WhenAll(agents.Select(agent => StartAsync(agent, cancellationToken))).ConfigureAwait(false);
            return agents;
        }
        catch
        {
            await Task.WhenAll(agents.Select(agent => agent.StopAsync(TimeSpan.Zero))).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Those started run in the plan's places from now on. Whoever is not in the plan any more, or is replaced, leaves; they are returned.</summary>
    public IReadOnlyList<TunnelAgent> Take(IReadOnlyList<AgentTransition> plan, IReadOnlyList<TunnelAgent> started)
    {
        TunnelAgent[] next = [.. plan.Select(step => step.Starts ? started.First(agent => agent.Name == step.Wanted.Name) : step.Running!)];
        TunnelAgent[] leaving = [.. Running.Except(next)];
        _leaving.RemoveAll(agent => agent.State == TunnelAgentState.Stopped);
        _leaving.AddRange(leaving);
        Running = next;
        foreach (TunnelAgent agent in leaving) _ = agent.StopAsync();
        return leaving;
    }

    public Task StopAsync(TimeSpan? grace)
    {
        TunnelAgent[] all = [.. Running, .. _leaving];
        return Task.WhenAll(all.Select(agent => agent.StopAsync(grace)));
    }

    private async Task StartAsync(TunnelAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            agent.Subscribe(onEvent, kinds);
            await agent.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw new ServiceStartException(agent.Name, e);
        }
    }
}
