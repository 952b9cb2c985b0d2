using System.Globalization;

namespace ProxyShell.Engine.Chains;

/// <summary>One of the ways past a place in a chain: a hop, or several in a row. Immutable.</summary>
public sealed class HopAlternate
{
    /// <summary>The highest weight.</summary>
    public const int MaxWeight = 1_000_000;

    private readonly ProxyHop[] _hops;

    /// <summary>Makes an alternate of one hop; the weight is 1 to <see cref="MaxWeight"/>.</summary>
    /// <exception cref="FormatException">The weight is out of range.</exception>
    public HopAlternate(ProxyHop hop, int weight = 1)
        : this([hop ?? throw new ArgumentNullException(nameof(hop))], weight)
    {
    }

    /// <summary>Makes an alternate of hops in a row; the weight is 1 to <see cref="MaxWeight"/>.</summary>
    /// <exception cref="FormatException">There are no hops (what was to go through hops would go directly), or the weight is out of range.</exception>
    public HopAlternate(IEnumerable<ProxyHop> hops, int weight = 1)
    {
        _hops = [.. hops];
        if (_hops.Length == 0) throw new FormatException("An alternate without hops would go directly past the others: give it at least one hop.");
        if (weight is < 1 or > MaxWeight) throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"The weight of an alternate is 1 to {MaxWeight}, not {weight}."));
        Weight = weight;
    }

    /// <summary>The hops, first to last; at least one.</summary>
    public IReadOnlyList<ProxyHop> Hops => _hops;

    /// <summary>How often it is chosen compared with the others, when the choice is by chance.</summary>
    public int Weight { get; }

    /// <summary>Makes an alternate of a whole chain.</summary>
    /// <exception cref="FormatException">The chain has no hops, or alternates or a payload key of its own.</exception>
    public static HopAlternate From(ProxyChain chain, int weight = 1)
    {
        ArgumentNullException.ThrowIfNull(chain);
        if (chain.HasAlternates) throw new FormatException($"A group cannot stand in another group: {chain} has alternates of its own. List all alternates in one group.");
        if (chain.PayloadKey is not null) throw new FormatException($"The payload key of {chain} cannot be kept in a group: give it to the chain that holds the group.");
        return new HopAlternate(chain.Hops, weight);
    }

    internal bool IsSame(HopAlternate other) => Weight == other.Weight && _hops.SequenceEqual(other._hops);

    /// <summary>The hops' URIs without keys.</summary>
    public override string ToString() => HopNaming.Hops(_hops);
}
