using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>The right of one stream to a channel of a session; given back once.</summary>
internal sealed class SessionLease(SessionPlace place, PooledSession session, SessionUser? user, bool isReused)
{
    private int _isReturned;

    public MultiplexedSession Session => session.Session;

    /// <summary>Whether the session was there before.</summary>
    public bool IsReused => isReused;

    /// <summary>The session has ended before the stream could begin: another lease in its place.</summary>
    public ValueTask<SessionLease> RenewAsync(PathConnector paths, CancellationToken cancellationToken)
    {
        Return();
        return place.LeaseAsync(paths, user, cancellationToken);
    }

    /// <summary>The peer does not answer: no further stream shall use the session.</summary>
    public void Suspect() => place.Retire(session);

    public void Return()
    {
        if (Interlocked.Exchange(ref _isReturned, 1) == 0) place.Return(session);
    }
}
