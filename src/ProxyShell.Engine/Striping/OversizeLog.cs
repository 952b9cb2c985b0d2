using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Striping;

/// <summary>Counts the messages of a service that were longer than UDP carries, and warns of them: once a second is enough, the number tells the rest.</summary>
internal sealed class OversizeLog(ConnectionRegistry registry, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private long _dropped;
    private long _noted;

    /// <summary>One more was dropped.</summary>
    public void Note(int length, int limit, ProxyConnection connection)
    {
        long count = Interlocked.Increment(ref _dropped);
        long last = Interlocked.Read(ref _noted), now = time.GetTimestamp();
        if ((last != 0 && time.GetElapsedTime(last, now) < Pause) || Interlocked.CompareExchange(ref _noted, now, last) != last) return;
        registry.Write(ProxyEventKind.Warning, $"a message of {length} bytes is longer than the {limit} that a datagram carries here, and was dropped; {count} were so far", connection: connection);
    }
}
