using System.Threading.Tasks.Sources;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>The write under way of a stream: the caller's own memory, from which segments are made when a stripe has room for them.</summary>
internal sealed class PendingWrite : IValueTaskSource, IWake
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private ReadOnlyMemory<byte> _rest;
    private Exception? _error;
    private int _copying;
    private bool _isOver = true;

    /// <summary>Bytes that no stripe has taken yet.</summary>
    public int Length => _rest.Length;

    public bool IsUnderWay => !_isOver;

    /// <summary>From now on the writer goes on where a stripe took its bytes.</summary>
    public void ContinueDirectly() => _core.RunContinuationsAsynchronously = false;

    public void Begin(ReadOnlyMemory<byte> bytes)
    {
        if (!_isOver) throw new InvalidOperationException("A write is under way already.");
        _core.Reset();
        (_rest, _error, _isOver) = (bytes, null, false);
    }

    public ValueTask AsTask() => new(this, _core.Version);

    public void Arm(CancellationTokenRegistration registration) => _registration = registration;

    /// <summary>Takes the next bytes; they are copied until <see cref="Copied"/>.</summary>
    public ReadOnlyMemory<byte> Take(int count)
    {
        ReadOnlyMemory<byte> taken = _rest[..count];
        _rest = _rest[count..];
        _copying++;
        return taken;
    }

    /// <summary>Returns whether that was the last of it, and the writer is to be woken.</summary>
    public bool Copied()
    {
        _copying--;
        return TryEnd();
    }

    /// <summary>Gives up what was not taken; returns whether the writer is to be woken now, which has to wait while its memory is being copied.</summary>
    public bool Fail(Exception error)
    {
        if (_isOver) return false;
        (_rest, _error) = (default, _error ?? error);
        return TryEnd();
    }

    void IWake.Wake()
    {
        if (_error is { } error) _core.SetException(error);
        else _core.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _registration = default;
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private bool TryEnd()
    {
        if (_isOver || _copying > 0 || !_rest.IsEmpty) return false;
        return _isOver = true;
    }
}
