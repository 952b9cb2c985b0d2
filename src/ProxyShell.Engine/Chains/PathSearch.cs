using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// The paths through a chain that one connection tries, one after the other. Each failure says which alternates are to blame for it and
/// so which choice to make anew; the health of the groups learns of it.
/// </summary>
internal sealed class PathSearch
{
    // two or three groups have more combinations than anyone wants to wait for
    private const int MaxPaths = 16;

    private readonly ProxyChain _chain;
    private readonly TimeProvider _time;
    private readonly int[]?[] _orders;
    private readonly int[] _tries;

    public PathSearch(ProxyChain chain, TimeProvider time)
    {
        (_chain, _time) = (chain, time);
        _orders = [.. chain.Places.Select(place => place.Choice?.Order(time))];
        _tries = new int[_orders.Length];
        Path = Build();
    }

    /// <summary>The path to try now.</summary>
    public ChainPath Path { get; private set; }

    /// <summary>How many paths were tried, this one included.</summary>
    public int Tried { get; private set; } = 1;

    /// <summary>How many alternates are left to try, the present ones counted as one.</summary>
    public int Left => 1 + Enumerable.Range(0, _tries.Length).Sum(AlternatesBehind);

    /// <summary>The connection is set up: the alternates of the path work.</summary>
    public void Succeed()
    {
        for (int place = 0; place < _orders.Length; place++) _chain.Places[place].Choice?.Worked(Chosen(place), _time);
    }

    /// <summary>The present path failed after it was set up: whoever is to blame is looked at, but may well be up.</summary>
    public void Suspect(ProxyException error)
    {
        var blame = PathBlame.Of(error, Path.Hops.Count);
        if (blame.Mark != BlameMark.None) Mark(PlacesOf(blame), error, certain: false);
    }

    /// <summary>The present path failed. False when no other path would do better, or none is left.</summary>
    public bool MoveOn(ProxyException error)
    {
        var blame = PathBlame.Of(error, Path.Hops.Count);
        int[] places = PlacesOf(blame);
        if (blame.Mark != BlameMark.None) Mark(places, error, blame.Mark == BlameMark.Down);
        if (Tried == MaxPaths || !(Renew(places) || RenewBefore(PlaceOf(blame.Before)))) return false;
        Tried++;
        Path = Build();
        return true;
    }

    private int[] PlacesOf(PathBlame blame) => [.. blame.Hops.Select(PlaceOf).Distinct()];

    private void Mark(int[] places, ProxyException error, bool certain)
    {
        foreach (int place in places) _chain.Places[place].Choice?.Failed(Chosen(place), error, certain, _time);
    }

    // the places to blame take their next alternates
    private bool Renew(int[] places)
    {
        int[] able = [.. places.Where(place => AlternatesBehind(place) > 0)];
        foreach (int place in able) _tries[place]++;
        return able.Length > 0;
    }

    // the nearest place before that has another alternate takes it; what failed behind the last one may work behind this one
    private bool RenewBefore(int end)
    {
        int place = Enumerable.Range(0, end).LastOrDefault(place => AlternatesBehind(place) > 0, -1);
        if (place < 0) return false;
        _tries[place]++;
        Array.Clear(_tries, place + 1, _tries.Length - place - 1);
        return true;
    }

    private int AlternatesBehind(int place) => _orders[place] is { } order ? order.Length - 1 - _tries[place] : 0;

    private int Chosen(int place) => _orders[place] is { } order ? order[_tries[place]] : 0;

    private HopAlternate Alternate(int place) => _chain.Places[place].Alternates[Chosen(place)];

    private ChainPath Build() => new([.. Enumerable.Range(0, _tries.Length).SelectMany(place => Alternate(place).Hops)], _chain.PayloadKey);

    private int PlaceOf(int hop)
    {
        int place = 0;
        for (int left = hop; place < _tries.Length && left >= Alternate(place).Hops.Count; place++) left -= Alternate(place).Hops.Count;
        return place;
    }
}
