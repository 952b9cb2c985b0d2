using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Places in the order in which traffic passes them, each with a hop or with a group of alternates; immutable but for the health of groups.
/// <c>$a + $b</c> appends. Not a collection itself: PowerShell would take it apart in the pipeline and add the hops instead of the chains.
/// </summary>
public sealed class ProxyChain
{
    /// <summary>The most hops that a connection through a chain may pass.</summary>
    public const int MaxHops = 32;

    private readonly HopGroup[] _places;
    private readonly ProxyHop[] _hops;
    private ChainPath? _onlyPath;
    private string? _text;

    /// <summary>Makes a chain of one hop at each place; no hops at all means a direct connection.</summary>
    /// <exception cref="FormatException">More than <see cref="MaxHops"/> hops.</exception>
    public ProxyChain(params IEnumerable<ProxyHop> hops)
        : this(hops.Select(hop => new HopGroup(hop)))
    {
    }

    /// <summary>Makes a chain with a group at each place. A group that other chains hold too shares its health with them.</summary>
    /// <exception cref="FormatException">The longest way through has more than <see cref="MaxHops"/> hops.</exception>
    public ProxyChain(IEnumerable<HopGroup> places)
    {
        _places = [.. places];
        _hops = [.. _places.SelectMany(place => place.Alternates).SelectMany(alternate => alternate.Hops)];
        HasAlternates = Array.Exists(_places, place => place.Choice is not null);
        int longest = _places.Sum(place => place.Longest);
        if (longest > MaxHops) throw new FormatException($"A chain has at most {MaxHops} hops, not {longest}.");
    }

    /// <summary>The chain without hops.</summary>
    public static ProxyChain Direct { get; } = new();

    /// <summary>The places, first to last; every connection takes one alternate of each.</summary>
    public IReadOnlyList<HopGroup> Places => _places;

    /// <summary>All hops in order, the alternates of a place one after another. When no place has alternates, this is the way of every connection.</summary>
    public IReadOnlyList<ProxyHop> Hops => _hops;

    /// <summary>Whether a place has more than one alternate.</summary>
    public bool HasAlternates { get; }

    /// <summary>
    /// A key shared with the last hop that seals the payload between here and there, so that the hops between see nothing of it; null for none.
    /// </summary>
    /// <exception cref="FormatException">The last hop, or that of one of the last alternates, is not a relay hop.</exception>
    public ProxyKey? PayloadKey
    {
        get;
        init
        {
            ProxyHop? other = value is null || _places.Length == 0 ? null : _places[^1].Alternates.Select(a => a.Hops[^1]).FirstOrDefault(hop => hop.Protocol != HopProtocol.Relay);
            if (other is not null) throw new FormatException($"A payload key is shared with the last hop of a chain, and {other.Uri} is no relay hop.");
            field = value;
        }
    }

    /// <summary>The way that a connection would take now; with alternates, <see cref="PathSearch"/> has the others too.</summary>
    internal ChainPath Path => HasAlternates ? new PathSearch(this, TimeProvider.System).Path : _onlyPath ??= new ChainPath(_hops, PayloadKey);

    /// <summary>How many hops there are, alternates included; 0 for a direct connection.</summary>
    public int Count => _hops.Length;

    /// <summary>The places of both, in order.</summary>
    public static ProxyChain operator +(ProxyChain left, ProxyChain right) => Add(left, right);

    /// <summary>The chain with one more hop at its end.</summary>
    public static ProxyChain operator +(ProxyChain left, ProxyHop right) => Add(left, new ProxyChain(right));

    /// <summary>The chain with one more place at its end.</summary>
    public static ProxyChain operator +(ProxyChain left, HopGroup right) => Add(left, new ProxyChain([right]));

    /// <summary>The places of both, in order; the payload key is the right one's if it has one, else the left one's.</summary>
    public static ProxyChain Add(ProxyChain left, ProxyChain right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new ProxyChain([.. left._places, .. right._places]) { PayloadKey = right.PayloadKey ?? left.PayloadKey };
    }

    /// <summary>How the alternates of the chain's groups are, as connections and probes found them; nothing for places with one alternate.</summary>
    public IReadOnlyList<ChainHealth> GetHealth() => [.. _places.SelectMany((place, index) => place.Choice?.Snapshot(index + 1) ?? [])];

    /// <summary>
    /// This chain as it goes on from an earlier one: with those groups of the earlier one that are the same, so that what they know of their
    /// alternates is kept. When all is the same, it is the earlier one itself.
    /// </summary>
    internal ProxyChain Continuing(ProxyChain earlier)
    {
        List<HopGroup> known = [.. earlier._places];
        HopGroup[] places = [.. _places.Select(place => known.Find(place.IsSame) is { } same && known.Remove(same) ? same : place)];
        return places.SequenceEqual(earlier._places) && Equals(PayloadKey, earlier.PayloadKey) ? earlier : new ProxyChain(places) { PayloadKey = PayloadKey };
    }

    /// <summary>The hops' URIs without keys, alternates in parentheses, or <c>direct</c>.</summary>
    public override string ToString() => _text ??= _places.Length == 0 ? "direct" : string.Join(" > ", _places.Select(place => place.ToString()));
}
