using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>A connection that is wanted: through which chain, to where, and which destinations are allowed (hops are the operator's own choice).</summary>
internal readonly record struct ChainRequest(ProxyChain Chain, FlightTarget Target, DestinationPolicy Policy)
{
    /// <summary>How long setting up may take in all, so that every alternate gets its share; null when only a cancelled token ends it.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>What the client says meanwhile; sent ahead only when there is no alternate that might have to hear it again.</summary>
    public EarlyPayload? Early { get; init; }

    /// <summary>Told which path is tried.</summary>
    public Action<ChainPath>? Trying { get; init; }
}
