using System.Collections.Concurrent;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Who serves which public name now, and which names were served until a short while ago.</summary>
internal sealed class TunnelDirectory(TimeProvider time, TimeSpan lease)
{
    private const int FirstPurge = 256;

    private readonly ConcurrentDictionary<(TunnelKind Kind, string Name), TunnelGroup> _groups = new();
    private readonly Lock _gate = new();
    private int _purgeAt = FirstPurge;

    /// <summary>How many names are remembered, those without agents included.</summary>
    public int Count => _groups.Count;

    /// <summary>
    /// Finds the least busy agent of a name: a host name in any case, with or without a final dot but without a port, or <c>tcp:port</c>.
    /// Agents that were tried in vain are left out.
    /// </summary>
    public TunnelLookup Find(string name, TunnelKind kind, IReadOnlyCollection<TunnelRegistration>? tried = null)
    {
        if (!_groups.TryGetValue((kind, Normal(name)), out TunnelGroup? group)) return new TunnelLookup(TunnelLookupStatus.Unknown, null);
        if (group.LeastBusy(tried ?? []) is { } found) return new TunnelLookup(TunnelLookupStatus.Found, found);
        bool isAwaited = group.Live.Count > 0 || group.GoneUntil > time.GetUtcNow();
        return new TunnelLookup(isAwaited ? TunnelLookupStatus.Gone : TunnelLookupStatus.Unknown, null);
    }

    /// <summary>From now on visitors are led to this registration too.</summary>
    public void Add(TunnelRegistration registration)
    {
        lock (_gate)
        {
            Purge();
            _groups.GetOrAdd(KeyOf(registration), static _ => new TunnelGroup()).Add(registration);
        }
    }

    /// <summary>
    /// Takes a registration out, once. Its name counts as gone while the lease lasts, or as unknown at once when the agent has withdrawn it.
    /// </summary>
    public void Remove(TunnelRegistration registration, bool isWithdrawn)
    {
        registration.Leave();
        lock (_gate)
        {
            if (!_groups.TryGetValue(KeyOf(registration), out TunnelGroup? group) || !group.Remove(registration) || group.Live.Count > 0) return;
            group.GoneUntil = isWithdrawn ? DateTimeOffset.MinValue : time.GetUtcNow() + lease;
        }
    }

    /// <summary>A name that was served before this process began: its agents are awaited while the lease lasts.</summary>
    public void Await(string name, TunnelKind kind)
    {
        lock (_gate) _groups.GetOrAdd((kind, Normal(name)), static _ => new TunnelGroup()).GoneUntil = time.GetUtcNow() + lease;
    }

    private static (TunnelKind Kind, string Name) KeyOf(TunnelRegistration registration) => (registration.Grant.Kind, registration.Grant.Name);

    private static string Normal(string name)
    {
        string bare = name.EndsWith('.') ? name[..^1] : name;
        return bare.AsSpan().ContainsAnyInRange('A', 'Z') ? bare.ToLowerInvariant() : bare;
    }

    // names that nobody has any more; looked for when their number has doubled, so that each costs little
    private void Purge()
    {
        if (_groups.Count < _purgeAt) return;
        DateTimeOffset now = time.GetUtcNow();
        foreach (((TunnelKind, string) key, TunnelGroup group) in _groups)
        {
            if (group.Live.Count == 0 && group.GoneUntil <= now) _groups.TryRemove(key, out _);
        }
        _purgeAt = Math.Max(FirstPurge, 2 * _groups.Count);
    }
}
