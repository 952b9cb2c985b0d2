using System.Diagnostics;

namespace ProxyShell.Bench.Load;

/// <summary>Counts operation times in steps of ten microseconds up to one second; written by one thread.</summary>
internal sealed class LatencyHistogram
{
    private const int StepsPerSecond = 100_000;
    private static readonly double StepsPerTick = (double)StepsPerSecond / Stopwatch.Frequency;

    private readonly int[] _counts = new int[StepsPerSecond + 1];
    private volatile bool _restart;

    /// <summary>Forgets everything before the next record: called at the start of the measured time.</summary>
    internal void Restart() => _restart = true;

    internal void Record(long startTimestamp, long endTimestamp)
    {
        if (_restart)
        {
            Array.Clear(_counts);
            _restart = false;
        }

        _counts[Math.Min((int)((endTimestamp - startTimestamp) * StepsPerTick), StepsPerSecond)]++;
    }

    /// <summary>The time in microseconds that the given share of the operations did not exceed.</summary>
    internal double Percentile(double share)
    {
        long wanted = (long)(_counts.Sum(count => (long)count) * share);
        long seen = 0;
        for (int step = 0; step < _counts.Length; step++)
        {
            seen += _counts[step];
            if (seen > wanted)
                return (step + 1) * (1_000_000.0 / StepsPerSecond);
        }

        return double.NaN;
    }
}
