using ProxyShell.Bench.Load;

namespace ProxyShell.Bench.Rows;

/// <summary>A simulated link between the two ends of a relay.</summary>
internal sealed record SlowLink(TimeSpan OneWayDelay, double BytesPerSecond)
{
    internal DelayRelay Open(int destinationPort) => new(destinationPort, OneWayDelay, BytesPerSecond);
}
