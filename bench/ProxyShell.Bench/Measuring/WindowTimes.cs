namespace ProxyShell.Bench.Measuring;

/// <summary>How long a load runs unmeasured, then measured.</summary>
internal sealed record WindowTimes(TimeSpan WarmUp, TimeSpan Measured);
