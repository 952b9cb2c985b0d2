namespace ProxyShell.Host.Running;

/// <summary>
/// Lets a service tell so many failures a minute and counts the rest: a dead destination or a port scan must not fill the disk.
/// </summary>
internal sealed class FailureThrottle(TimeProvider time)
{
    private const int PerMinute = 60;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Window> _windows = [];

    /// <summary>Whether this failure may be told; what was left out in the minute before is told first.</summary>
    public bool Admits(string service, Action<LogLevel, string> write)
    {
        string? summary = null;
        bool admitted;
        lock (_gate)
        {
            long now = time.GetTimestamp();
            Window window = _windows.GetValueOrDefault(service, new Window(now, 0));
            if (time.GetElapsedTime(window.Start, now) >= TimeSpan.FromMinutes(1))
            {
                summary = window.Summary(service);
                window = new Window(now, 0);
            }
            window = window with { Count = window.Count + 1 };
            _windows[service] = window;
            admitted = window.Count <= PerMinute;
        }
        if (summary is not null) write(LogLevel.Warning, summary);
        return admitted;
    }

    /// <summary>Tells what was left out so far.</summary>
    public void Finish(Action<LogLevel, string> write)
    {
        lock (_gate)
        {
            foreach ((string service, Window window) in _windows)
            {
                if (window.Summary(service) is { } summary) write(LogLevel.Warning, summary);
            }
            _windows.Clear();
        }
    }

    private readonly record struct Window(long Start, long Count)
    {
        public string? Summary(string service) => Count > PerMinute ? $"{service}: {Count - PerMinute} more failures within a minute were not written" : null;
    }
}
