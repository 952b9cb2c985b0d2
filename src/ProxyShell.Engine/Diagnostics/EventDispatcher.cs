namespace ProxyShell.Engine.Diagnostics;

/// <summary>
/// Hands events to subscribers one at a time and in order, on pool threads: subscribers are strangers that may block or throw,
/// so they never run on a thread that moves bytes. Events are handed over in batches 50 ms apart, since waking the
/// pool for each would cost more than a connection. When subscribers fall far behind, they miss the newest; the ring has them. Kinds that
/// nobody takes cost nothing here.
/// </summary>
internal sealed class EventDispatcher : IDisposable
{
    private const int MaxPending = 10_000;

    private static readonly TimeSpan BatchTime = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly object _sender;
    private readonly Timer _timer;
    private Queue<ProxyEvent> _pending = new();
    private Queue<ProxyEvent> _spare = new();
    private TaskCompletionSource? _idle;
    private bool _scheduled;
    private EventSubscriber[] _subscribers = [];
    private EventKinds _wanted;

    public EventDispatcher(object sender)
    {
        _sender = sender;
        _timer = new Timer(static state => ((EventDispatcher)state!).Deliver(), this, Timeout.Infinite, Timeout.Infinite);
    }

    public void Add(EventHandler<ProxyEvent> handler, EventKinds kinds)
    {
        lock (_gate) Use([.. _subscribers, new EventSubscriber(handler, kinds)]);
    }

    /// <summary>Takes the handler out where it was added last, if it was.</summary>
    public void Remove(EventHandler<ProxyEvent> handler)
    {
        lock (_gate)
        {
            int index = Array.FindLastIndex(_subscribers, subscriber => subscriber.Handler == handler);
            if (index >= 0) Use([.. _subscribers[..index], .. _subscribers[(index + 1)..]]);
        }
    }

    public void Dispatch(ProxyEvent item)
    {
        if (!_wanted.Include(item.Kind)) return;
        lock (_gate)
        {
            if (_pending.Count >= MaxPending) return;
            _pending.Enqueue(item);
            if (_scheduled) return;
            _scheduled = true;
        }
        _timer.Change(BatchTime, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Completes when all events so far are handed over.</summary>
    public Task FlushAsync()
    {
        lock (_gate)
        {
            if (!_scheduled) return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    public void Dispose() => _timer.Dispose();

    // one at a time: the next batch is scheduled by this one's end or by a later event
    private void Deliver()
    {
        while (true)
        {
            Queue<ProxyEvent> batch;
            lock (_gate)
            {
                if (_pending.Count == 0)
                {
                    _scheduled = false;
                    _idle?.TrySetResult();
                    _idle = null;
                    return;
                }
                batch = _pending;
                (_pending, _spare) = (_spare, batch);
            }
            while (batch.TryDequeue(out ProxyEvent? item)) Deliver(item);
        }
    }

    private void Deliver(ProxyEvent item)
    {
        foreach (EventSubscriber subscriber in Volatile.Read(ref _subscribers))
        {
            if (!subscriber.Kinds.Include(item.Kind)) continue;
            try
            {
                subscriber.Handler(_sender, item);
            }
            catch (Exception)
            {
                // a subscriber's fault is the subscriber's: it must not end the others or the process
            }
        }
    }

    // deliveries that are under way go on with the array that they began with
    private void Use(EventSubscriber[] subscribers)
    {
        _wanted = subscribers.Aggregate(default(EventKinds), (all, subscriber) => all | subscriber.Kinds);
        Volatile.Write(ref _subscribers, subscribers);
    }
}
