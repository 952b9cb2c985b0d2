using System.Threading.Tasks.Sources;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>The read under way of a stream that found nothing.</summary>
internal sealed class PendingRead : IValueTaskSource<int>, IWake
{
    private ManualResetValueTaskSourceCore<int> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private Exception? _error;
    private int _count;

    public bool IsWaiting { get; private set; }

    /// <summary>Where the bytes are to go.</summary>
    public Memory<byte> Target { get; private set; }

    /// <summary>From now on the reader goes on where a stripe brought its bytes.</summary>
    public void ContinueDirectly() => _core.RunContinuationsAsynchronously = false;

    public void Begin(Memory<byte> target)
    {
        if (IsWaiting) throw new InvalidOperationException("A read is under way already.");
        _core.Reset();
        (IsWaiting, Target, _error) = (true, target, null);
    }

    public ValueTask<int> AsTask() => new(this, _core.Version);

    public void Arm(CancellationTokenRegistration registration) => _registration = registration;

    /// <summary>The read is over, and its reader to be woken.</summary>
    public void End(int count) => (IsWaiting, Target, _count) = (false, default, count);

    /// <inheritdoc cref="End(int)"/>
    public void End(Exception error) => (IsWaiting, Target, _error) = (false, default, error);

    void IWake.Wake()
    {
        if (_error is { } error) _core.SetException(error);
        else _core.SetResult(_count);
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
}
