using System.Net;

namespace ProxyShell.Engine.Diagnostics;

/// <summary>The live connections of one service, its totals and its events.</summary>
internal sealed class ConnectionRegistry : IDisposable
{
    private static long s_lastId;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, ProxyConnection> _live = [];
    private readonly ServiceIdentity _service;
    private readonly EventDispatcher _dispatcher;
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource? _empty;
    private long _accepted;
    private long _failed;
    private long _refused;
    private long _channels;
    private long _endedSent;
    private long _endedReceived;

    public ConnectionRegistry(object sender, ServiceIdentity service, int eventCapacity)
    {
        _service = service;
        _dispatcher = new EventDispatcher(sender);
        Events = new EventRing(eventCapacity);
    }

    public event EventHandler<ProxyEvent>? EventWritten
    {
        add
        {
            if (value is not null) Subscribe(value, EventKinds.All);
        }

        remove
        {
            if (value is not null) _dispatcher.Remove(value);
        }
    }

    public EventRing Events { get; }

    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>How many of the accepted came as channels of a client's session.</summary>
    public long Channels => Interlocked.Read(ref _channels);

    /// <summary>Cancelled when the service begins to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public long Failed => Interlocked.Read(ref _failed);

    public long Refused => Interlocked.Read(ref _refused);

    public int Count
    {
        get
        {
            lock (_gate) return _live.Count;
        }
    }

    public ProxyConnection? TryOpen(EndPoint? client, IAbortable clientSide, int limit)
    {
        Interlocked.Increment(ref _accepted);
        lock (_gate)
        {
            if (_live.Count >= limit) return null;
            var connection = new ProxyConnection(_service, Interlocked.Increment(ref s_lastId), client, clientSide);
            _live.Add(connection.Id, connection);
            return connection;
        }
    }

    /// <summary>Takes an ended connection out and says so: closed without an error, refused or failed with one.</summary>
    public void End(ProxyConnection connection, ProxyException? error, bool refused)
    {
        connection.End(error);
        if (error is null) Write(ProxyEventKind.Closed, "closed", connection: connection);
        else
        {
            if (refused) CountRefused();
            else Interlocked.Increment(ref _failed);
            Write(refused ? ProxyEventKind.Refused : ProxyEventKind.Failed, error.Message, error.Reason, connection);
        }
        Remove(connection);
    }

    /// <summary>Takes out a connection whose client was turned away, which has been counted and told elsewhere.</summary>
    public void Leave(ProxyConnection connection, ProxyException error)
    {
        connection.End(error);
        Remove(connection);
    }

    public void Dispose() => _dispatcher.Dispose();

    /// <summary>Has the handler told of events of these kinds only, until it is taken from <see cref="EventWritten"/>.</summary>
    public void Subscribe(EventHandler<ProxyEvent> handler, EventKinds kinds) => _dispatcher.Add(handler, kinds);

    public Task BeginStopAsync() => _stopping.CancelAsync();

    public void CountChannel() => Interlocked.Increment(ref _channels);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    /// <summary>Bytes of ended and open connections, counted once each.</summary>
    public (long Sent, long Received) Totals()
    {
        lock (_gate)
        {
            (long sent, long received) = (_endedSent, _endedReceived);
            foreach (ProxyConnection connection in _live.Values)
            {
                sent += connection.BytesSent;
                received += connection.BytesReceived;
            }
            return (sent, received);
        }
    }

    public IReadOnlyList<ProxyConnection> ToList()
    {
        lock (_gate) return [.. _live.Values];
    }

    /// <summary>Completes when subscribers have had all events so far.</summary>
    public Task FlushEventsAsync() => _dispatcher.FlushAsync();

    /// <summary>Completes when no connection is left.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_gate)
        {
            if (_live.Count == 0) return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }

    public void Write(ProxyEventKind kind, string message, ProxyErrorReason reason = ProxyErrorReason.None, ProxyConnection? connection = null)
    {
        var item = new ProxyEvent(_service.Time.GetUtcNow(), _service.Name, kind, message) { Reason = reason, Connection = connection };
        Events.Add(item);
        _dispatcher.Dispatch(item);
    }

    /// <summary>Writes down a request that came over a connection.</summary>
    public void Write(HttpRequestRecord request, ProxyConnection connection)
    {
        var item = new ProxyEvent(_service.Time.GetUtcNow(), _service.Name, ProxyEventKind.HttpRequest, null) { Connection = connection, Request = request };
        Events.Add(item);
        _dispatcher.Dispatch(item);
    }

    private void Remove(ProxyConnection connection)
    {
        TaskCompletionSource? empty = null;
        lock (_gate)
        {
            _live.Remove(connection.Id);
            _endedSent += connection.BytesSent;
            _endedReceived += connection.BytesReceived;
            if (_live.Count == 0) (empty, _empty) = (_empty, null);
        }
        empty?.TrySetResult();
    }
}
