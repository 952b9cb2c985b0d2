namespace ProxyShell.Engine.Diagnostics;

/// <summary>
/// Hands events to subscribers one at a time and in order, on pool threads: subscribers are strangers that may block or throw,
/// so they never run on a thread that moves bytes. When they fall behind, the newest events are dropped for them (the ring has them).
/// </summary>
internal sealed class EventDispatcher(object sender) : IThreadPoolWorkItem
{
    private const int MaxPending = 10_000;

    private readonly Queue<ProxyEvent> _pending = new();
    private bool _running;

    public event EventHandler<ProxyEvent>? Handlers;

    public void Dispatch(ProxyEvent item)
    {
        if (Handlers is null) return;
        lock (_pending)
        {
            if (_pending.Count >= MaxPending) return;
            _pending.Enqueue(item);
            if (_running) return;
            _running = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            ProxyEvent? item;
            lock (_pending)
            {
                if (!_pending.TryDequeue(out item))
                {
                    _running = false;
                    return;
                }
            }
            Deliver(item);
        }
    }

    private void Deliver(ProxyEvent item)
    {
        foreach (EventHandler<ProxyEvent> handler in Handlers?.GetInvocationList() ?? [])
        {
            try
            {
                handler(sender, item);
            }
            catch (Exception)
            {
                // a subscriber's fault is the subscriber's: it must not end the others or the process
            }
        }
    }
}
