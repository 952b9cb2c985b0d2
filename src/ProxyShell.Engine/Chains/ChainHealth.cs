namespace ProxyShell.Engine.Chains;

/// <summary>How one alternate of a chain was at one moment.</summary>
public sealed record ChainHealth
{
    /// <summary>The place in the chain, counted from 1.</summary>
    public required int Place { get; init; }

    /// <summary>The alternate's hops as text, without keys.</summary>
    public required string Alternate { get; init; }

    /// <summary>How it is.</summary>
    public required AlternateState State { get; init; }

    /// <summary>Since when it is so; null when nothing is known yet.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The round trip of the last probe that was answered, or null.</summary>
    public TimeSpan? Latency { get; init; }

    /// <summary>The mean round trip of the last 10 probes that were answered, or null.</summary>
    public TimeSpan? MeanLatency { get; init; }

    /// <summary>The share of the last 10 probes that were not answered, 0 to 1; null before the first.</summary>
    public double? Loss { get; init; }

    /// <summary>When it was last probed, or null.</summary>
    public DateTimeOffset? LastProbe { get; init; }

    /// <summary>How many connections and probes failed in a row, until now.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>What went wrong last, or null; it stays when the alternate is up again.</summary>
    public string? LastError { get; init; }

    /// <summary>How its group chooses.</summary>
    public ChainSelection Selection { get; init; }
}
