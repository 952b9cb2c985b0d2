using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// Looks at all connections now and then: ends those over which no byte moved for the idle limit, and reckons the rates.
/// Relays only count bytes; time is looked at here, so moving bytes costs no clock.
/// </summary>
internal sealed class ConnectionSweeper : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly ConnectionRegistry _registry;
    private readonly ServiceOptions _options;
    private readonly ITimer _timer;

    public ConnectionSweeper(ConnectionRegistry registry, ServiceOptions options)
    {
        (_registry, _options) = (registry, options);
        TimeSpan pause = options.IdleTimeout == Timeout.InfiniteTimeSpan || options.IdleTimeout / 4 > LongestPause ? LongestPause : options.IdleTimeout / 4;
        _timer = options.TimeProvider.CreateTimer(static state => ((ConnectionSweeper)state!).Sweep(), this, pause, pause);
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
        long bytes = connection.BytesSent + connection.BytesReceived;
        bool first = connection.SeenTimestamp == 0;
        TimeSpan since = first ? TimeSpan.Zero : _options.TimeProvider.GetElapsedTime(connection.SeenTimestamp, now);
        if (first || bytes != connection.SeenBytes)
        {
            if (since > TimeSpan.Zero) connection.SampleRate((bytes - connection.SeenBytes) / since.TotalSeconds);
            (connection.SeenBytes, connection.SeenTimestamp) = (bytes, now);
            return;
        }
        connection.SampleRate(0);
        if (_options.IdleTimeout != Timeout.InfiniteTimeSpan && since >= _options.IdleTimeout) connection.Abort(ProxyErrorReason.IdleTimeout);
    }
}
