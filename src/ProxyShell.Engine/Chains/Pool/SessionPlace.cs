using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>
/// The sessions of one route: one as a rule, another when all that are there have as many channels as they may. Who needs one that is being dialled
/// waits for it with the others. After failures dialling again is put off a little more each time, up to a second.
/// </summary>
internal sealed class SessionPlace(SessionRoute route, SessionPool pool, TimeProvider time)
{
    private static readonly TimeSpan DialTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<PooledSession> _sessions = [];
    private readonly BackOff _backOff = new(time);
    private Task? _dialing;
    private ITimer? _idleTimer;

    public SessionRoute Route => route;

    /// <summary>Nothing would be lost by forgetting it.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _sessions.Count == 0 && _dialing is null && _backOff.IsCalm;
        }
    }

    /// <summary>A place in the session that has the fewest channels; dials one when there is none, or all are full.</summary>
    public async ValueTask<SessionLease> LeaseAsync(PathConnector paths, SessionUser? user, CancellationToken cancellationToken)
    {
        for (bool isReused = true; ; isReused = false)
        {
            Task dialing;
            lock (_gate)
            {
                PooledSession? best = _sessions.Where(s => s.IsUsable).MinBy(s => s.Leases);
                if (best is not null && best.Leases < route.Pooling.MaxChannels) return Lease(best, user, isReused);
                if (_sessions.Count(s => s.IsUsable) >= route.Pooling.MaxSessions) throw Full();
                dialing = _dialing ??= DialAsync(paths, user);
            }
            await dialing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Return(PooledSession session)
    {
        bool closes;
        lock (_gate)
        {
            session.Leases--;
            if (session.Leases > 0) return;
            session.IdleSince = time.GetTimestamp();
            closes = session.IsAbandoned || session.IsRetired;
            if (closes) session.IsRetired = true;
            else if (route.Pooling.IdleTimeout != Timeout.InfiniteTimeSpan)
                _idleTimer ??= time.CreateTimer(static place => ((SessionPlace)place!).CloseIdle(), this, route.Pooling.IdleTimeout, Timeout.InfiniteTimeSpan);
        }
        if (closes) _ = CloseAsync(session);
    }

    /// <summary>Lets no further stream use the session; it is closed when the last one has left.</summary>
    public void Retire(PooledSession session)
    {
        lock (_gate) session.IsRetired = true;
    }

    /// <summary>The user is gone; sessions that nobody else uses are closed, at once or when their last stream ends.</summary>
    public async Task LeaveAsync(SessionUser user)
    {
        PooledSession[] left;
        lock (_gate)
        {
            foreach (PooledSession session in _sessions) session.Leave(user);
            left = [.. _sessions.Where(s => s is { IsAbandoned: true, Leases: 0 })];
            foreach (PooledSession session in left) session.IsRetired = true;
        }
        await Task.WhenAll(left.Select(CloseAsync)).ConfigureAwait(false);
    }

    /// <summary>Closes all sessions, whoever uses them.</summary>
    public async Task CloseAsync()
    {
        PooledSession[] all;
        lock (_gate) all = [.. _sessions];
        foreach (PooledSession session in all) Retire(session);
        await Task.WhenAll(all.Select(CloseAsync)).ConfigureAwait(false);
    }

    public void AddTo(List<ProxySession> views)
    {
        lock (_gate) views.AddRange(_sessions.Select(s => s.View));
    }

    private SessionLease Lease(PooledSession session, SessionUser? user, bool isReused)
    {
        session.Leases++;
        session.Join(user);
        return new SessionLease(this, session, user, isReused);
    }

    // with a deadline of its own: those who wait for it come and go
    private async Task DialAsync(PathConnector paths, SessionUser? user)
    {
        await Task.Yield();
        try
        {
            await _backOff.WaitAsync().ConfigureAwait(false);
            using var limit = new CancellationTokenSource(DialTime, time);
            MultiplexedSession session = await paths.BeginSessionAsync(route, limit.Token).ConfigureAwait(false);
            var pooled = new PooledSession(session, route, time.GetUtcNow());
            lock (_gate)
            {
                _sessions.Add(pooled);
                pooled.Join(user);
            }
            _backOff.Succeeded();
            pool.Keep(this);
            PooledSession.Report(pooled.Users(), $"session to {route} begun");
            _ = WatchAsync(pooled);
        }
        catch
        {
            _backOff.Failed();
            pool.Forget(this);
            throw;
        }
        finally
        {
            lock (_gate) _dialing = null;
        }
    }

    // ends with the session, which always does
    private async Task WatchAsync(PooledSession pooled)
    {
        ProxyException? failure = await pooled.Session.Completion.ConfigureAwait(false);
        int lost = pooled.Session.LostChannels;
        SessionUser[] users;
        lock (_gate)
        {
            // a peer that was killed ends its connections in order, and its channels not
            if (lost > 0 && !pooled.IsRetired) failure ??= SessionFault.Of(ProxyErrorReason.ConnectionClosed, "the peer closed the session");
            pooled.View.LastError = failure;
            _sessions.Remove(pooled);
            users = pooled.Users();
        }
        if (failure is not null && pooled.Session.Age < ShortLife) _backOff.Failed();
        string how = failure is null ? "closed" : $"lost with {lost:N0} channel{(lost == 1 ? "" : "s")}: {failure.Message}";
        PooledSession.Report(users, $"session to {route} {how}", failure?.Reason ?? ProxyErrorReason.None);
        pool.Forget(this);
        await pooled.Session.DisposeAsync().ConfigureAwait(false);
    }

    private void CloseIdle()
    {
        List<PooledSession> idle = [];
        lock (_gate)
        {
            TimeSpan next = Timeout.InfiniteTimeSpan;
            foreach (PooledSession session in _sessions.Where(s => s.Leases == 0 && s.IsUsable))
            {
                TimeSpan left = route.Pooling.IdleTimeout - time.GetElapsedTime(session.IdleSince);
                if (left <= TimeSpan.Zero) idle.Add(session);
                else if (next < TimeSpan.Zero || left < next) next = left;
            }
            foreach (PooledSession session in idle) session.IsRetired = true;
            if (next > TimeSpan.Zero)
            {
                _idleTimer!.Change(next, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _idleTimer!.Dispose();
                _idleTimer = null;
            }
        }
        foreach (PooledSession session in idle) _ = CloseAsync(session);
    }

    private static async Task CloseAsync(PooledSession session) => await session.Session.DisposeAsync().ConfigureAwait(false);

    private ProxyException Full() => new(
        ProxyErrorReason.LimitExceeded, ProxyStage.Dial, route.ToString(), $"all {route.Pooling.MaxSessions:N0} sessions to it have {route.Pooling.MaxChannels:N0} channels each, which is as many as they may");
}
