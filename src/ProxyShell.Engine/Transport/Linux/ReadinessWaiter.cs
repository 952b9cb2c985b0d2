using System.Threading.Tasks.Sources;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>One wait for readiness; reused, one spare per thread. Completed once, by whoever took it out of its connection.</summary>
internal sealed class ReadinessWaiter : IValueTaskSource
{
    [ThreadStatic]
    private static ReadinessWaiter? t_spare;

    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;

    public static ReadinessWaiter Rent(bool inline)
    {
        ReadinessWaiter waiter = t_spare ?? new ReadinessWaiter();
        t_spare = null;
        waiter._core.RunContinuationsAsynchronously = !inline;
        return waiter;
    }

    public ValueTask Task => new(this, _core.Version);

    /// <summary>Arms cancellation; to be called once the waiter is where its completer finds it.</summary>
    public void CancelWith(LinuxConnection owner, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (owner, waiter) = ((LinuxConnection, ReadinessWaiter))state!;
                if (owner.TryWithdraw(waiter)) waiter.Fail(new OperationCanceledException(token));
            },
            (owner, this));
    }

    public void Complete() => _core.SetResult(true);

    public void Fail(Exception error) => _core.SetException(error);

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            // Dispose waits for a running cancellation, so nobody refers to the waiter when it becomes the spare
            _registration.Dispose();
            _registration = default;
            _core.Reset();
            t_spare = this;
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
