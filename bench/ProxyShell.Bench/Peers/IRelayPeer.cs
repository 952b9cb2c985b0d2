namespace ProxyShell.Bench.Peers;

/// <summary>A program in one service, measured as a process of its own.</summary>
internal interface IRelayPeer
{
    /// <summary>Short name for options, for instance <c>nginx</c>; one program has the same in all its services.</summary>
    string Id { get; }

    /// <summary>Name in tables.</summary>
    string Name { get; }

    RelayService Service { get; }

    /// <summary>True for variants that are of interest with bulk streams only.</summary>
    bool BulkOnly { get; }

    /// <summary>Pairs that the row of idle connections opens at most.</summary>
    int MaxIdlePairs { get; }

    /// <summary>The first line of what the program says of itself, or null when it is not installed.</summary>
    string? FindVersion();

    /// <summary>Writes the configuration and tells how to start; null means that the load goes to the origin directly.</summary>
    ProcessCommand? Prepare(RelayPlan plan);
}
