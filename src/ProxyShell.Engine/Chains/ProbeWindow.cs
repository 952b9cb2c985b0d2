namespace ProxyShell.Engine.Chains;

/// <summary>The outcomes of the last few probes of one alternate. Its owner's lock guards it.</summary>
internal sealed class ProbeWindow
{
    private const int Length = 10;

    private readonly TimeSpan?[] _outcomes = new TimeSpan?[Length];
    private int _count;

    /// <summary>The last round trip, or null.</summary>
    public TimeSpan? Latency { get; private set; }

    /// <summary>The mean of the round trips, or null.</summary>
    public TimeSpan? MeanLatency
    {
        get
        {
            TimeSpan[] answered = [.. Outcomes.OfType<TimeSpan>()];
            return answered.Length == 0 ? null : answered.Aggregate((sum, next) => sum + next) / answered.Length;
        }
    }

    /// <summary>The share without an answer, or null.</summary>
    public double? Loss => _count == 0 ? null : (double)Outcomes.Count(outcome => outcome is null) / Outcomes.Count();

    private IEnumerable<TimeSpan?> Outcomes => _outcomes.Take(Math.Min(_count, Length));

    /// <summary>Adds an outcome; null for a probe without an answer.</summary>
    public void Add(TimeSpan? latency)
    {
        _outcomes[_count++ % Length] = latency;
        Latency = latency ?? Latency;
    }
}
