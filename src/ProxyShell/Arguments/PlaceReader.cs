using ProxyShell.Engine.Chains;

namespace ProxyShell.Arguments;

/// <summary>Makes places of a chain from hop arguments: a nested array is a group of alternates, and an array within it an alternate of several hops.</summary>
internal sealed class PlaceReader(
    HopSettings? settings = null, ChainSelection selection = ChainSelection.Ordered, IReadOnlyList<int>? weights = null, TimeSpan? probeInterval = null)
{
    /// <summary>How many groups were made of arrays; those that came within chains are not counted.</summary>
    public int GroupsMade { get; private set; }

    /// <summary>The places that an argument stands for: one, or those of a chain.</summary>
    /// <exception cref="FormatException">It is no hop, and no group of hops either.</exception>
    public IReadOnlyList<HopGroup> Read(HopArgument argument) => argument switch
    {
        { Value: ProxyChain chain } => [.. chain.Places.Select(Finish)],
        { Value: HopGroup group } => [Finish(group)],
        { Items: { } items } => [ReadGroup(items)],
        _ => [new HopGroup(Finish(argument.ResolveHop()))],
    };

    /// <summary>The group of these alternates.</summary>
    /// <exception cref="FormatException">One is no hop, or there are none.</exception>
    public HopGroup ReadGroup(IReadOnlyList<HopArgument> items)
    {
        if (weights is not null && weights.Count != items.Count) throw new FormatException($"There are {items.Count} alternates and {weights.Count} weights; each alternate has one.");
        GroupsMade++;
        var group = new HopGroup(items.Select((item, index) => ReadAlternate(item, weights?[index])), selection);
        return probeInterval is { } interval ? new HopGroup(group.Alternates, selection) { ProbeInterval = interval } : group;
    }

    private HopAlternate ReadAlternate(HopArgument item, int? weight)
    {
        // a chain that is no alternate, for one that has alternates itself, says so
        if (item.Value is ProxyChain chain) return new HopAlternate(HopAlternate.From(chain).Hops.Select(Finish), weight ?? 1);
        if (item.Items is { } row) return new HopAlternate(row.Select(hop => Finish(hop.ResolveHop())), weight ?? 1);
        ProxyHop only = Finish(item.ResolveHop());
        return new HopAlternate(only, weight ?? only.Weight);
    }

    // a group that is kept as it is shares its health with the other chains that hold it
    private HopGroup Finish(HopGroup group) => settings is null || settings.IsEmpty
        ? group
        : new HopGroup(group.Alternates.Select(alternate => new HopAlternate(alternate.Hops.Select(Finish), alternate.Weight)), group.Selection) { ProbeInterval = group.ProbeInterval };

    private ProxyHop Finish(ProxyHop hop) => settings?.ApplyTo(hop) ?? hop;
}
