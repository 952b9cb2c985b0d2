namespace ProxyShell.Engine.Diagnostics;

/// <summary>What all connections of one service share: its name, its kind and its clock.</summary>
internal sealed class ServiceIdentity(string name, string kind, TimeProvider time)
{
    private readonly long _originTimestamp = time.GetTimestamp();
    private readonly DateTimeOffset _origin = time.GetUtcNow();

    public string Name => name;

    public string Kind => kind;

    public TimeProvider Time => time;

    /// <summary>Connections keep a monotonic timestamp only; the wall time is reckoned from the service's start.</summary>
    public DateTimeOffset StartedAt(long timestamp) => _origin + time.GetElapsedTime(_originTimestamp, timestamp);
}
