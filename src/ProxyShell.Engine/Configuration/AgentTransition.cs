using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// How one running agent becomes, or one new agent is, what the configuration says. An agent with other options is another agent: it registers for
/// the same name before the old one leaves, so that visitors notice nothing.
/// </summary>
internal sealed class AgentTransition
{
    private AgentTransition(TunnelAgent? running, TunnelAgentOptions wanted)
    {
        Running = running;
        Wanted = running is null ? wanted : wanted with { Chain = wanted.Chain.Continuing(running.Options.Chain) };
        Change = running is null ? null : OptionChanges.Describe(running.Options.Values, Wanted.Values);
    }

    /// <summary>The agent that runs already; null when it is added.</summary>
    public TunnelAgent? Running { get; }

    /// <summary>What is different, in words; null when it is added or stays as it is.</summary>
    public string? Change { get; }

    public TunnelAgentOptions Wanted { get; }

    /// <summary>Whether an agent has to be started.</summary>
    public bool Starts => Running is null || Change is not null;

    public static IReadOnlyList<AgentTransition> Plan(IReadOnlyList<TunnelAgent> running, ProxyConfiguration wanted) =>
        [.. wanted.Tunnels.Select(options => new AgentTransition(running.FirstOrDefault(agent => agent.Name.Equals(options.Name, StringComparison.OrdinalIgnoreCase)), options))];
}
