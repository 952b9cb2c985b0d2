using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Configuration;

/// <summary>What another configuration has changed in running services, by their names.</summary>
public sealed record ConfigurationChanges
{
    /// <summary>Services that go by other options and run on; an event of each says which.</summary>
    public required IReadOnlyList<string> Changed { get; init; }

    /// <summary>Services that were replaced, because of an option that a running one cannot change, and agents, because of any.</summary>
    public required IReadOnlyList<ServiceRestart> Restarted { get; init; }

    /// <summary>Services that were not there before.</summary>
    public required IReadOnlyList<string> Added { get; init; }

    /// <summary>Services that are no longer there: they accept nobody any more, and their connections have their time to finish.</summary>
    public required IReadOnlyList<string> Removed { get; init; }

    /// <summary>How many services are as they were.</summary>
    public required int Unchanged { get; init; }

    /// <summary>The services that were started: those added, and the replacements.</summary>
    public required IReadOnlyList<ListenerService> Started { get; init; }

    /// <summary>The agents that were started: those added, and the replacements.</summary>
    public IReadOnlyList<TunnelAgent> StartedAgents { get; init; } = [];

    /// <summary>
    /// Services that could not be started although the change was under way: they needed the address of one that had to be stopped
    /// first. They are not running.
    /// </summary>
    public required IReadOnlyList<ServiceStartException> Failures { get; init; }

    /// <summary>All of it in one sentence.</summary>
    public override string ToString()
    {
        List<string> parts = [];
        if (Changed.Count > 0) parts.Add($"changed {string.Join(", ", Changed)}");
        if (Restarted.Count > 0) parts.Add($"restarted {string.Join(", ", Restarted)}");
        if (Added.Count > 0) parts.Add($"added {string.Join(", ", Added)}");
        if (Removed.Count > 0) parts.Add($"removed {string.Join(", ", Removed)}");
        if (parts.Count == 0) return "nothing has changed";
        if (Unchanged > 0) parts.Add($"{Unchanged} as before");
        return string.Join("; ", parts);
    }
}
