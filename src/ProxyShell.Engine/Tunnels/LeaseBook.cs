namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// Who holds what of a limited supply (names of a pool, ports). What its holder has left belongs to it until the lease is over, and then to
/// whoever comes; the holder gets it back as long as nobody came. Not thread-safe: the owner has a lock.
/// </summary>
internal sealed class LeaseBook<TKey>(TimeProvider time, TimeSpan lease)
    where TKey : notnull
{
    private readonly Dictionary<TKey, Holding> _holdings = [];

    /// <summary>What is held or was held last, and by whom.</summary>
    public IEnumerable<KeyValuePair<TKey, string>> Holders => _holdings.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Holder));

    /// <summary>Whether somebody uses it now.</summary>
    public bool IsUsed(TKey key) => _holdings.TryGetValue(key, out Holding? holding) && holding.Users > 0;

    /// <summary>Whether it may be given to this holder.</summary>
    public bool IsFree(TKey key, string holder) =>
        !_holdings.TryGetValue(key, out Holding? holding) || holding.Holder == holder || (holding.Users == 0 && holding.FreeAt <= time.GetUtcNow());

    /// <summary>
    /// What of the supply may be given to a holder, in this order: what it had last, what it wishes, what nobody had yet, and what was left the
    /// longest ago.
    /// </summary>
    public IEnumerable<TKey> Choices(string holder, Func<TKey, bool> isWished, IReadOnlyCollection<TKey> supply) => supply
        .Where(key => IsFree(key, holder))
        .OrderBy(key => Rank(key, holder, isWished))
        .ThenBy(key => _holdings.TryGetValue(key, out Holding? holding) ? holding.FreeAt : DateTimeOffset.MinValue);

    /// <summary>The holder uses it from now on, perhaps not alone; to be ended with <see cref="Release"/>. True when it was not the holder's before.</summary>
    public bool Take(TKey key, string holder)
    {
        bool isNew = !_holdings.TryGetValue(key, out Holding? holding) || holding.Holder != holder;
        if (isNew) _holdings[key] = holding = new Holding(holder);
        holding!.Users++;
        return isNew;
    }

    /// <summary>One user less. What is withdrawn is free at once, else it is kept while the lease lasts.</summary>
    public void Release(TKey key, bool isWithdrawn)
    {
        Holding holding = _holdings[key];
        if (--holding.Users > 0) return;
        holding.FreeAt = time.GetUtcNow() + (isWithdrawn ? TimeSpan.Zero : lease);
    }

    /// <summary>Notes a holder of before, whose lease begins now.</summary>
    public void Restore(TKey key, string holder) => _holdings[key] = new Holding(holder) { FreeAt = time.GetUtcNow() + lease };

    private int Rank(TKey key, string holder, Func<TKey, bool> isWished)
    {
        if (!_holdings.TryGetValue(key, out Holding? holding)) return isWished(key) ? 1 : 2;
        return holding.Holder == holder ? 0 : isWished(key) ? 1 : 3;
    }

    private sealed class Holding(string holder)
    {
        public string Holder => holder;

        public int Users { get; set; }

        public DateTimeOffset FreeAt { get; set; }
    }
}
