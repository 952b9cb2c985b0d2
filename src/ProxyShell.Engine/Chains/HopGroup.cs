using System.Globalization;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// What stands at one place of a chain: one or more alternates, of which each connection takes one. Immutable but for the health of its
/// alternates, which all chains share that hold the same group.
/// </summary>
public sealed class HopGroup
{
    /// <summary>The most alternates a group may have.</summary>
    public const int MaxAlternates = 64;

    private readonly HopAlternate[] _alternates;

    /// <summary>Makes a group.</summary>
    /// <exception cref="FormatException">There are no alternates or more than <see cref="MaxAlternates"/>.</exception>
    public HopGroup(IEnumerable<HopAlternate> alternates, ChainSelection selection = ChainSelection.Ordered)
    {
        (_alternates, Selection) = ([.. alternates], selection);
        if (_alternates.Length is 0 or > MaxAlternates)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"A group has 1 to {MaxAlternates} alternates, not {_alternates.Length}."));
        if (_alternates.Length > 1) Choice = new GroupChoice(this);
    }

    /// <summary>Makes a place with one hop.</summary>
    public HopGroup(ProxyHop hop)
        : this([new HopAlternate(hop)])
    {
    }

    /// <summary>The alternates, in the order given.</summary>
    public IReadOnlyList<HopAlternate> Alternates => _alternates;

    /// <summary>How connections choose.</summary>
    public ChainSelection Selection { get; }

    /// <summary>How often a service probes an alternate that is up: 1 second to 1 day, 30 seconds by default. Not used with one alternate.</summary>
    /// <exception cref="FormatException">Out of range.</exception>
    public TimeSpan ProbeInterval
    {
        get;
        init => field = value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(1)
            ? value
            : throw new FormatException($"The probe interval is '{value}'; it must be 1 second to 1 day.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>Where chance comes from; tests give their own.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>The health of the alternates and the choice among them; null when there is but one.</summary>
    internal GroupChoice? Choice { get; }

    /// <summary>The most hops that an alternate has.</summary>
    internal int Longest => _alternates.Max(alternate => alternate.Hops.Count);

    /// <summary>Whether it has the same alternates and chooses in the same way; of its health that says nothing.</summary>
    internal bool IsSame(HopGroup other) =>
        Selection == other.Selection && ProbeInterval == other.ProbeInterval && _alternates.Length == other._alternates.Length
        && _alternates.Zip(other._alternates).All(pair => pair.First.IsSame(pair.Second));

    /// <summary>The hops' URIs without keys; several alternates as <c>(relay://b:1 | relay://c:1 > relay://d:1)</c>.</summary>
    public override string ToString() => _alternates.Length == 1 ? _alternates[0].ToString() : $"({string.Join(" | ", _alternates.Select(a => a.ToString()))})";
}
