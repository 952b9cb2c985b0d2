using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// The datagrams between one client and one destination: a live record, the path to the destination, and the way back to the client,
/// which is up to the derived class. It ends when it has been idle, when its path fails, or when somebody stops it.
/// </summary>
internal abstract class DatagramFlow(ConnectionRegistry registry) : IDatagramSink, IAbortable
{
    private readonly Lock _gate = new();
    private ProxyConnection? _record;
    private DatagramQueue? _waiting;
    private DatagramPath? _path;
    private bool _notedLength;
    private int _ended;

    /// <summary>The live record.</summary>
    public ProxyConnection Record => _record!;

    /// <summary>Whether it is over.</summary>
    public bool HasEnded => Volatile.Read(ref _ended) != 0;

    /// <summary>Whether its end counts as turning a client away.</summary>
    public bool WasRefused { get; set; }

    /// <summary>What its client may move; datagrams beyond that are lost, as in a line that is full. To be set before it begins.</summary>
    public Bandwidth Bandwidth { get; set; } = Bandwidth.Unlimited;

    /// <summary>Takes the record that this flow was entered into the registry with.</summary>
    public void Begin(ProxyConnection record, string destination, TimeSpan idleLimit)
    {
        (record.Protocol, record.Destination, record.State, record.IdleLimit) = ("udp", destination, ConnectionState.Connecting, idleLimit);
        _record = record;
        // an abort between the entry and here found no record to end: it is made up for
        Interlocked.MemoryBarrier();
        if (record.AbortReason != ProxyErrorReason.None) Abort();
    }

    /// <summary>Sends a datagram of the client, now or, while the path is being set up, later. One call at a time.</summary>
    public void Send(ReadOnlySpan<byte> payload)
    {
        if (Volatile.Read(ref _path) is { } path) Send(path, payload);
        else SendLater(payload);
    }

    /// <summary>The path is set up: sends what waited for it.</summary>
    public void Attach(DatagramPath path)
    {
        lock (_gate)
        {
            if (!HasEnded)
            {
                OnAttached(path);
                Record.State = ConnectionState.Open;
                registry.Write(ProxyEventKind.Opened, "opened", connection: Record);
                _waiting?.Empty(path, NoteSent);
                _waiting = null;
                Volatile.Write(ref _path, path);
            }
        }
        // it may have ended before, or by what came of the first datagrams
        if (HasEnded) path.Abort();
    }

    /// <summary>Ends the flow with an error.</summary>
    public void OnFailed(ProxyException error) => End(error);

    /// <summary>Ends the flow for the reason that its record tells.</summary>
    public void Abort()
    {
        if (_record is not { } record) return;
        bool isQuietEnd = record.AbortReason is ProxyErrorReason.IdleTimeout or ProxyErrorReason.None;
        End(isQuietEnd ? null : new ProxyException(record.AbortReason, ProxyStage.Relay));
    }

    void IDatagramSink.OnReceived(ReadOnlySpan<byte> payload)
    {
        if (HasEnded || !Bandwidth.TryTake(payload.Length, TrafficDirection.Received)) return;
        if (Deliver(payload)) Record.AddReceivedDatagram(payload.Length);
        else if (payload.Length > MaxReply) NoteLength(payload.Length, MaxReply);
    }

    /// <summary>The path is there, and nothing has gone along it yet.</summary>
    protected virtual void OnAttached(DatagramPath path)
    {
    }

    /// <summary>The most bytes that a datagram to the client can carry.</summary>
    protected abstract int MaxReply { get; }

    /// <summary>Sends a datagram of the destination to the client; false when it is lost.</summary>
    protected abstract bool Deliver(ReadOnlySpan<byte> payload);

    /// <summary>The flow is over; without an error it was idle. Its client may be told, and whoever finds it by its client forgets it.</summary>
    protected abstract void OnEnded(ProxyException? error);

    private void Send(DatagramPath path, ReadOnlySpan<byte> payload)
    {
        if (!Bandwidth.TryTake(payload.Length, TrafficDirection.Sent)) return;
        if (path.Send(payload)) Record.AddSentDatagram(payload.Length);
        else if (payload.Length > path.MaxPayload) NoteLength(payload.Length, path.MaxPayload);
    }

    // the first datagrams of a flow are few: they go at once, and count for those after them
    private void NoteSent(int bytes)
    {
        Record.AddSentDatagram(bytes);
        Bandwidth.Charge(bytes, TrafficDirection.Sent);
    }

    private void SendLater(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (HasEnded) return;
            if (_path is null) (_waiting ??= new DatagramQueue()).TryAdd(payload);
            else Send(_path, payload);
        }
    }

    private void NoteLength(int length, int limit)
    {
        if (_notedLength) return;
        _notedLength = true;
        registry.Write(ProxyEventKind.Warning, $"a datagram of {length} bytes is too long for this way, which takes at most {limit}; it and others like it are lost", connection: Record);
    }

    private void End(ProxyException? error)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        DatagramPath? path;
        lock (_gate)
        {
            path = _path;
            _waiting?.Empty(null, static _ => { });
            _waiting = null;
        }
        path?.Abort();
        OnEnded(error);
        registry.End(Record, error, WasRefused);
    }
}
