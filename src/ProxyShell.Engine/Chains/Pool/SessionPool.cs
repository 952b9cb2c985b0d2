using System.Collections.Concurrent;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>
/// The sessions that are kept to hops, for all services of the process: who goes the same way shares them. A session is closed when it has had no
/// channel for its idle time, or when the last service that used it has stopped.
/// </summary>
public sealed class SessionPool(TimeProvider? time = null)
{
    // addresses that clients name and nobody can reach shall not pile up
    private const int MaxQuietPlaces = 1024;

    private readonly ConcurrentDictionary<SessionRoute, SessionPlace> _places = [];
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The one that services use unless told otherwise.</summary>
    public static SessionPool Shared { get; } = new();

    /// <summary>The sessions that are open now.</summary>
    public IReadOnlyList<ProxySession> GetSessions()
    {
        var views = new List<ProxySession>();
        foreach (SessionPlace place in _places.Values) place.AddTo(views);
        return views;
    }

    /// <summary>Closes all sessions; channels that are open fail.</summary>
    public Task CloseAsync() => Task.WhenAll(_places.Values.Select(place => place.CloseAsync()));

    internal ValueTask<SessionLease> LeaseAsync(SessionRoute route, PathConnector paths, SessionUser? user, CancellationToken cancellationToken)
    {
        if (!_places.TryGetValue(route, out SessionPlace? place))
        {
            if (_places.Count >= MaxQuietPlaces) foreach (SessionPlace quiet in _places.Values) Forget(quiet);
            place = _places.GetOrAdd(route, static (route, pool) => new SessionPlace(route, pool, pool._time), this);
        }
        return place.LeaseAsync(paths, user, cancellationToken);
    }

    internal Task LeaveAsync(SessionUser user) => Task.WhenAll(_places.Values.Select(place => place.LeaveAsync(user)));

    internal void Forget(SessionPlace place)
    {
        if (place.IsEmpty) _places.TryRemove(KeyValuePair.Create(place.Route, place));
    }

    /// <summary>The place has a session; it may have been forgotten while that was dialled.</summary>
    internal void Keep(SessionPlace place) => _places.TryAdd(place.Route, place);
}
