using ProxyShell.Bench.Load;

namespace ProxyShell.Bench.Rows;

/// <summary>A simulated link between the two ends of a relay: one connection for each shape.</summary>
internal sealed record SlowLink(IReadOnlyList<LinkShape> Shapes)
{
    /// <summary>A link of one connection.</summary>
    internal SlowLink(TimeSpan oneWayDelay, double bytesPerSecond)
        : this([new LinkShape(oneWayDelay, bytesPerSecond)])
    {
    }

    /// <summary>What all its connections carry together.</summary>
    internal double BytesPerSecond => Shapes.Sum(shape => shape.BytesPerSecond ?? double.PositiveInfinity);

    internal DelayRelay Open(int destinationPort) => new(destinationPort, Shapes);
}
