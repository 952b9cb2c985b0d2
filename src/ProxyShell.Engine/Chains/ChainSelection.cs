namespace ProxyShell.Engine.Chains;

/// <summary>How a connection chooses among the alternates of a group. Those that are down are left out, unless all are.</summary>
public enum ChainSelection
{
    /// <summary>The first that is up; the others stand by.</summary>
    Ordered,

    /// <summary>One after another.</summary>
    RoundRobin,

    /// <summary>By chance, in proportion to the weights.</summary>
    Random,

    /// <summary>The one that answers probes fastest; a change needs one that is at least 20 % faster than the present one.</summary>
    LowestLatency,
}
