namespace ProxyShell.Engine.Diagnostics;

/// <summary>Byte counters of one relay, readable while it runs. Each direction has one writer at a time.</summary>
public class Traffic
{
    private long _sent;
    private long _received;
    private long _datagramsSent;
    private long _datagramsReceived;

    /// <summary>Bytes written from the client towards the destination.</summary>
    public long BytesSent => Volatile.Read(ref _sent);

    /// <summary>Bytes written from the destination towards the client.</summary>
    public long BytesReceived => Volatile.Read(ref _received);

    /// <summary>Datagrams sent towards the destination; 0 for connections.</summary>
    public long DatagramsSent => Volatile.Read(ref _datagramsSent);

    /// <summary>Datagrams sent towards the client; 0 for connections.</summary>
    public long DatagramsReceived => Volatile.Read(ref _datagramsReceived);

    /// <summary>Cancelled when the connection is aborted: for waits that its closing does not end.</summary>
    internal virtual CancellationToken Aborting => CancellationToken.None;

    internal void AddSent(long bytes) => Volatile.Write(ref _sent, _sent + bytes);

    internal void AddReceived(long bytes) => Volatile.Write(ref _received, _received + bytes);

    internal void AddSentDatagram(int bytes)
    {
        AddSent(bytes);
        Volatile.Write(ref _datagramsSent, _datagramsSent + 1);
    }

    internal void AddReceivedDatagram(int bytes)
    {
        AddReceived(bytes);
        Volatile.Write(ref _datagramsReceived, _datagramsReceived + 1);
    }
}
