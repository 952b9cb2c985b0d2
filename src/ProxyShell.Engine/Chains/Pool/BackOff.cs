namespace ProxyShell.Engine.Chains.Pool;

/// <summary>Puts off a next attempt after failures: 50 ms after the first, twice as long after each further one, at most one second.</summary>
internal sealed class BackOff(TimeProvider time)
{
    private const int FirstMilliseconds = 50;
    private const int LongestMilliseconds = 1000;

    private readonly Lock _gate = new();
    private int _failures;
    private long _lastFailure;

    /// <summary>Whether an attempt now would not have to wait.</summary>
    public bool IsCalm => Left() <= TimeSpan.Zero;

    public Task WaitAsync()
    {
        TimeSpan left = Left();
        return left > TimeSpan.Zero ? Task.Delay(left, time) : Task.CompletedTask;
    }

    public void Failed()
    {
        lock (_gate)
        {
            _failures++;
            _lastFailure = time.GetTimestamp();
        }
    }

    public void Succeeded()
    {
        lock (_gate) _failures = 0;
    }

    private TimeSpan Left()
    {
        lock (_gate)
        {
            if (_failures == 0) return TimeSpan.Zero;
            int wait = Math.Min(FirstMilliseconds << Math.Min(_failures - 1, 10), LongestMilliseconds);
            return TimeSpan.FromMilliseconds(wait) - time.GetElapsedTime(_lastFailure);
        }
    }
}
