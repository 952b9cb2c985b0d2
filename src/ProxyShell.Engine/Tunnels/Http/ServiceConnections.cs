using ProxyShell.Engine.Inbound.Http;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// The connections to one agent's service that wait for a request. The one that served last is used first, so that those which a quiet time
/// leaves over grow old and are closed.
/// </summary>
internal sealed class ServiceConnections(TimeProvider time)
{
    // a service that ends a connection after so short a time would end it while a request is on its way, too
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<(HttpUpstream Connection, long Since)> _resting = new();
    private bool _isClosed;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _resting.Count;
        }
    }

    /// <summary>
    /// Takes one that the service has not ended; null when there is none. A request that must not be sent twice gets only one that served a moment ago.
    /// </summary>
    public HttpUpstream? TryTake(bool isRepeatable)
    {
        while (true)
        {
            HttpUpstream connection;
            lock (_gate)
            {
                if (_resting.Last is not { } last) return null;
                if (!isRepeatable && time.GetElapsedTime(last.Value.Since) > Fresh) return null;
                connection = last.Value.Connection;
                _resting.RemoveLast();
            }
            // one that was ended meanwhile has closed itself
            if (connection.TryWake()) return connection;
        }
    }

    /// <summary>Keeps a connection for another request, and at most so many; false when it cannot be kept.</summary>
    public bool TryKeep(HttpUpstream connection, int limit)
    {
        if (limit == 0 || !connection.TryRest()) return false;
        HttpUpstream? surplus = connection;
        lock (_gate)
        {
            if (!_isClosed)
            {
                _resting.AddLast((connection, time.GetTimestamp()));
                surplus = _resting.Count > limit ? _resting.First!.Value.Connection : null;
                if (surplus is not null) _resting.RemoveFirst();
            }
        }
        Close(surplus);
        return true;
    }

    /// <summary>Closes those that have waited for longer.</summary>
    public void CloseOlder(TimeSpan age)
    {
        while (true)
        {
            HttpUpstream oldest;
            lock (_gate)
            {
                if (_resting.First is not { } first || time.GetElapsedTime(first.Value.Since) <= age) return;
                oldest = first.Value.Connection;
                _resting.RemoveFirst();
            }
            Close(oldest);
        }
    }

    /// <summary>Closes all, and keeps none from now on.</summary>
    public void Close()
    {
        lock (_gate) _isClosed = true;
        CloseOlder(TimeSpan.MinValue);
    }

    private void Close(HttpUpstream? connection)
    {
        // who wakes it owns it; one that cannot be woken has closed itself
        if (connection?.TryWake() == true) _ = connection.EndAsync(time);
    }
}
