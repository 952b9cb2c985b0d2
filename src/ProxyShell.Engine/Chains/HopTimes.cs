namespace ProxyShell.Engine.Chains;

/// <summary>What the test of a hop or destination measured, see <see cref="HopTestResult"/>.</summary>
internal readonly record struct HopTimes(TimeSpan? Dial, TimeSpan? Handshake = null, TimeSpan? RoundTrip = null, SessionUse Session = SessionUse.None);
