using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// What came for a channel and was not read yet. One reader; the session's loop adds. A reader that waits gets the bytes into its own buffer
/// at once, and is woken when the loop has taken all that it had at hand; one that waits with an outlet is woken for what that does not take. Nothing is called back and nothing awaited within the lock.
/// </summary>
internal sealed class ReceiveQueue(SessionChannel owner, ReceiveWindow? window) : IValueTaskSource<int>
{
    private readonly Lock _gate = new();
    private readonly ByteQueue _bytes = new();
    private ManualResetValueTaskSourceCore<int> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private Memory<byte> _target;
    private IOutlet? _outlet;
    private int _filled;
    private int _passing;
    private bool _waiting;
    private bool _isDue;
    private bool _ended;
    private bool _closed;
    private ProxyException? _failure;
    private TaskCompletionSource? _room;

    /// <summary>Whether the peer has ended its direction.</summary>
    public bool HasEnded => Volatile.Read(ref _ended);

    /// <summary>The receive window's size; 0 when there is none.</summary>
    public long WindowSize
    {
        get
        {
            lock (_gate) return window?.Size ?? 0;
        }
    }

    /// <summary>From now on the reader goes on on the thread of the session's loop.</summary>
    public void ContinueOnLoop() => _core.RunContinuationsAsynchronously = false;

    /// <summary>Opens the window, when the channel is offered or accepted; returns its size.</summary>
    public long Open(long wanted)
    {
        lock (_gate)
        {
            if (!_closed) window?.Open(wanted);
            return window?.Size ?? 0;
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, IOutlet? outlet, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int>(cancellationToken);
        int count = 0;
        Grant grant = default;
        bool waits;
        lock (_gate)
        {
            if (_waiting) throw new InvalidOperationException("A read is under way already.");
            if (_bytes.Length == 0 && _failure is not null) return ValueTask.FromException<int>(_failure);
            waits = _bytes.Length == 0 && !_ended;
            if (waits) Wait(buffer, outlet);
            else grant = Taken(count = _bytes.Take(buffer.Span));
        }
        if (waits)
        {
            // the token is looked at before the task is awaited, so there is nobody yet who could reuse the source
            ValueTask<int> task = new(this, _core.Version);
            if (cancellationToken.CanBeCanceled) _registration = cancellationToken.UnsafeRegister(static (queue, token) => ((ReceiveQueue)queue!).Cancel(token), this);
            return task;
        }
        owner.Tell(grant);
        return new ValueTask<int>(count);
    }

    /// <summary>
    /// Adds what came; false when it is more than the window allows. Whether there is a reader to wake, or an outlet that may take it: then
    /// <see cref="Deliver"/> has to follow, to which what is held has to be given.
    /// </summary>
    public bool TryAdd(ReadOnlySpan<byte> bytes, out bool wakes, out bool holds)
    {
        wakes = holds = false;
        lock (_gate)
        {
            if (_ended || _failure is not null) return true;
            if (window?.TryReceive(bytes.Length) == false) return false;
            holds = _outlet is not null;
            if (holds) _passing += bytes.Length;
            else Add(bytes);
            wakes = _waiting && !_isDue;
            _isDue |= wakes;
        }
        return true;
    }

    /// <summary>Gives the outlet what was held for it, and wakes the reader if there is something for it.</summary>
    public void Deliver(ReadOnlySpan<ArraySegment<byte>> held)
    {
        int passed = Volatile.Read(ref _outlet)?.Take(held) ?? 0;
        int count;
        bool wakes;
        Grant grant;
        lock (_gate)
        {
            (_isDue, _passing) = (false, 0);
            if (!_waiting) return;
            if (_outlet is not null) AddRest(held, passed);
            count = _filled;
            wakes = _outlet is null || _bytes.Length > 0 || _ended || _failure is not null;
            if (wakes) StopWaiting();
            grant = Taken(passed + count);
        }
        owner.Tell(grant);
        if (wakes) _core.SetResult(count);
    }

    /// <summary>The peer could send more than the window allows.</summary>
    public void AskForGrowth()
    {
        lock (_gate) window?.Ask();
    }

    /// <summary>The peer has ended its direction: what came before can still be read.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            if (_isDue || !StopWaiting()) return;
        }
        _core.SetResult(0);
    }

    /// <summary>There is no more to come but the error. What came before can still be read, unless it is discarded.</summary>
    public void Fail(ProxyException error, bool discard)
    {
        lock (_gate)
        {
            if (discard) _bytes.Clear();
            if (discard || !_ended) _failure ??= error;
            // nothing more is added, so nobody has to wait for room
            _room?.TrySetResult();
            if ((_isDue && !discard) || !StopWaiting()) return;
        }
        _core.SetException(error);
    }

    /// <summary>Gives the window back to the session, when the channel is closed.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            window?.Close();
        }
    }

    /// <summary>Whether so many bytes wait.</summary>
    public bool IsFull(long limit)
    {
        lock (_gate) return _bytes.Length + _passing >= limit;
    }

    /// <summary>Completes at once when fewer bytes wait than this, else when none do; for sessions without windows.</summary>
    public Task RoomAsync(long limit)
    {
        lock (_gate)
        {
            if (_bytes.Length < limit || _failure is not null) return Task.CompletedTask;
            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        return _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Wait(Memory<byte> buffer, IOutlet? outlet)
    {
        (_waiting, _target, _outlet) = (true, buffer, outlet);
        _core.Reset();
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        int count = _waiting ? Math.Min(_target.Length - _filled, bytes.Length) : 0;
        bytes[..count].CopyTo(_target.Span[_filled..]);
        _filled += count;
        _bytes.Add(bytes[count..]);
    }

    private void AddRest(ReadOnlySpan<ArraySegment<byte>> held, int passed)
    {
        foreach (ArraySegment<byte> part in held)
        {
            if (passed < part.Count) _bytes.Add(part.AsSpan(passed));
            passed = Math.Max(0, passed - part.Count);
        }
    }

    // once the peer has ended, or the channel is closed, nobody needs more room
    private Grant Taken(int count)
    {
        if (_bytes.Length == 0) _room?.TrySetResult();
        return count == 0 || _ended || _closed || window is null ? default : window.Take(count, owner.PeerGrows);
    }

    private bool StopWaiting()
    {
        bool waited = _waiting;
        (_waiting, _target, _outlet, _filled) = (false, default, null, 0);
        return waited;
    }

    private void Cancel(CancellationToken token)
    {
        lock (_gate)
        {
            if (_isDue || !StopWaiting()) return;
        }
        _core.SetException(new OperationCanceledException(token));
    }
}
