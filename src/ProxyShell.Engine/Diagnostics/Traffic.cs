namespace ProxyShell.Engine.Diagnostics;

/// <summary>Byte counters of one relay, readable while it runs. Each direction has one writer at a time.</summary>
public class Traffic
{
    private long _sent;
    private long _received;

    /// <summary>Bytes written from the client towards the destination.</summary>
    public long BytesSent => Volatile.Read(ref _sent);

    /// <summary>Bytes written from the destination towards the client.</summary>
    public long BytesReceived => Volatile.Read(ref _received);

    internal void AddSent(long bytes) => Volatile.Write(ref _sent, _sent + bytes);

    internal void AddReceived(long bytes) => Volatile.Write(ref _received, _received + bytes);
}
