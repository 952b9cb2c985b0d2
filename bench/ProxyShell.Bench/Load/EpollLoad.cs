using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>A closed loop over a fixed number of slots: one thread, one epoll set, one connection per slot at a time.</summary>
internal abstract unsafe class EpollLoad : ILoad
{
    private const int None = -1;

    private readonly Thread _thread;
    private readonly int _slots;
    private volatile bool _stopping;
    private long _completed;
    private long _failures;

    protected EpollLoad(LoadTarget target, int slots)
    {
        Target = target;
        _slots = slots;
        Sockets = new int[slots];
        Array.Fill(Sockets, None);
        _thread = new Thread(Run) { IsBackground = true };
    }

    public long Completed => Interlocked.Read(ref _completed);

    public long Failures => Interlocked.Read(ref _failures);

    public LatencyHistogram? Latency { get; } = new();

    public Exception? Fault { get; private set; }

    protected LoadTarget Target { get; }

    protected Epoll Epoll { get; } = new();

    protected int[] Sockets { get; }

    /// <summary>Milliseconds after which the clock is looked at although nothing happened.</summary>
    protected virtual int LongestWait => 100;

    public void Start() => _thread.Start();

    public virtual void Dispose()
    {
        _stopping = true;
        if (_thread.IsAlive)
            _thread.Join();
        Epoll.Dispose();
    }

    /// <summary>Opens the slot's connection, or its next one, and sends the first request.</summary>
    protected abstract void Open(int slot);

    /// <summary>Handles readiness of the slot's connection.</summary>
    protected abstract void Continue(int slot);

    /// <summary>Called after each wait: the place to look at the clock.</summary>
    protected virtual void Look()
    {
    }

    /// <summary>True when the whole request went out; requests are far smaller than any socket buffer.</summary>
    protected bool TrySend(int slot, ReadOnlySpan<byte> request)
    {
        fixed (byte* data = request)
            return Libc.Send(Sockets[slot], data, request.Length, Libc.MessageNoSignal) == request.Length;
    }

    /// <summary>Returns the number of bytes, 0 at the end of the stream or after an error, −1 when there is nothing yet.</summary>
    protected int Receive(int slot, Span<byte> room)
    {
        fixed (byte* data = room)
        {
            nint count = Libc.Receive(Sockets[slot], data, room.Length, Libc.MessageDontWait);
            if (count >= 0)
                return (int)count;
        }

        return Marshal.GetLastPInvokeError() == Libc.ErrorAgain ? -1 : 0;
    }

    protected void Complete(long startTimestamp, long endTimestamp)
    {
        Latency!.Record(startTimestamp, endTimestamp);
        Interlocked.Exchange(ref _completed, _completed + 1); // the only writer
    }

    /// <summary>Counts a broken connection and starts over; the pause keeps a refusing relay from turning this into a spin.</summary>
    protected void Fail(int slot)
    {
        CountFailure();
        Close(slot);
        Thread.Sleep(1);
        Open(slot);
    }

    protected void CountFailure() => Interlocked.Increment(ref _failures);

    protected void Close(int slot)
    {
        Libc.Close(Sockets[slot]);
        Sockets[slot] = None;
    }

    private void Run()
    {
        try
        {
            Loop();
        }
        catch (IOException failure)
        {
            Fault = failure; // most likely the relay is gone and refuses connections
        }

        for (int slot = 0; slot < _slots; slot++)
            Close(slot);
    }

    private void Loop()
    {
        for (int slot = 0; slot < _slots; slot++)
            Open(slot);
        while (!_stopping)
        {
            int count = Epoll.Wait(LongestWait);
            for (int i = 0; i < count; i++)
                Continue(Epoll.TokenAt(i));
            Look();
        }
    }
}
