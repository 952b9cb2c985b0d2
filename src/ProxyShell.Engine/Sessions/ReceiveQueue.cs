using System.Threading.Tasks.Sources;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Sessions;

/// <summary>
/// What came for a channel and was not read yet. One reader; the session's loop adds. A reader that waits gets the bytes into its own buffer
/// at once, and is woken when the loop has taken all that it had at hand. Nothing is called back and nothing awaited within the lock.
/// </summary>
internal sealed class ReceiveQueue(SessionChannel owner, ReceiveWindow? window) : IValueTaskSource<int>
{
    private readonly Lock _gate = new();
    private readonly ByteQueue _bytes = new();
    private ManualResetValueTaskSourceCore<int> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private Memory<byte> _target;
    private int _filled;
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

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
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
            if (waits) Wait(buffer);
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

    /// <summary>Adds what came; false when it is more than the window allows. Whether there is a reader to wake: then <see cref="Deliver"/> has to follow.</summary>
    public bool TryAdd(ReadOnlySpan<byte> bytes, out bool wakes)
    {
        wakes = false;
        lock (_gate)
        {
            if (_ended || _failure is not null) return true;
            if (window?.TryReceive(bytes.Length) == false) return false;
            int count = _waiting ? Math.Min(_target.Length - _filled, bytes.Length) : 0;
            bytes[..count].CopyTo(_target.Span[_filled..]);
            _filled += count;
            _bytes.Add(bytes[count..]);
            wakes = _waiting && !_isDue;
            _isDue |= wakes;
        }
        return true;
    }

    /// <summary>Wakes the reader for which something was added.</summary>
    public void Deliver()
    {
        int count;
        Grant grant;
        lock (_gate)
        {
            _isDue = false;
            count = _filled;
            if (!StopWaiting()) return;
            grant = Taken(count);
        }
        owner.Tell(grant);
        _core.SetResult(count);
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
        lock (_gate) return _bytes.Length >= limit;
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

    private void Wait(Memory<byte> buffer)
    {
        (_waiting, _target) = (true, buffer);
        _core.Reset();
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
        (_waiting, _target, _filled) = (false, default, 0);
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
