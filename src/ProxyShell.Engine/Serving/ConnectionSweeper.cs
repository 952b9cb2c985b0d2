using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// Looks at all connections now and then: ends those over which nothing moved for the idle limit, and reckons the rates.
/// Relays only count; time is looked at here, so moving bytes costs no clock.
/// </summary>
internal sealed class ConnectionSweeper : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // a conversation in datagrams says nothing when it is over; in a stop, so much silence is taken for its end
    private static readonly TimeSpan LastSilence = TimeSpan.FromSeconds(1);

    private readonly ConnectionRegistry _registry;
    private volatile ServiceOptions _options;
    private readonly ITimer _timer;
    private volatile bool _isHurried;

    public ConnectionSweeper(ConnectionRegistry registry, ServiceOptions options)
    {
        (_registry, _options) = (registry, options);
        TimeSpan pause = Pause(options);
        _timer = options.TimeProvider.CreateTimer(static state => ((ConnectionSweeper)state!).Sweep(), this, pause, pause);
    }

    /// <summary>Goes by other options from now on, for connections that are open too.</summary>
    public void Use(ServiceOptions options)
    {
        _options = options;
        if (!_isHurried) _timer.Change(Pause(options), Pause(options));
    }

    /// <summary>The service is stopping: flows of datagrams that have fallen silent are over.</summary>
    public void Hurry()
    {
        _isHurried = true;
        _timer.Change(LastSilence / 4, LastSilence / 4);
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Sweep()
    {
        foreach (ProxyConnection connection in _registry.ToList())
        {
            if (connection.State == ConnectionState.Open) Look(connection, _options.TimeProvider.GetTimestamp());
        }
    }

    private void Look(ProxyConnection connection, long now)
    {
        long bytes = connection.BytesSent + connection.BytesReceived, activity = connection.Activity;
        bool first = connection.SeenTimestamp == 0;
        TimeSpan since = first ? TimeSpan.Zero : _options.TimeProvider.GetElapsedTime(connection.SeenTimestamp, now);
        if (first || activity != connection.SeenActivity)
        {
            if (since > TimeSpan.Zero) connection.SampleRate((bytes - connection.SeenBytes) / since.TotalSeconds);
            (connection.SeenBytes, connection.SeenActivity, connection.SeenTimestamp) = (bytes, activity, now);
            return;
        }
        connection.SampleRate(0);
        if (Limit(connection) is { } limit && since >= limit) connection.Abort(ProxyErrorReason.IdleTimeout);
    }

    private TimeSpan? Limit(ProxyConnection connection)
    {
        TimeSpan limit = connection.IdleLimit ?? _options.IdleTimeout;
        if (_isHurried && connection.Protocol == "udp") return LastSilence;
        return limit == Timeout.InfiniteTimeSpan ? null : limit;
    }

    private static TimeSpan Pause(ServiceOptions options) =>
        Shortest(LongestPause, Shortest(Quarter(options.IdleTimeout), Quarter(options.UdpIdleTimeout)));

    private static TimeSpan Quarter(TimeSpan limit) => limit == Timeout.InfiniteTimeSpan ? LongestPause : limit / 4;

    private static TimeSpan Shortest(TimeSpan first, TimeSpan second) => first < second ? first : second;
}
