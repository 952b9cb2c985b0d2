using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench.Load;

/// <summary>Where a load connects, what it says there first, and what it exchanges then.</summary>
internal sealed record LoadTarget(int Port, int RequestSize, int ReplySize)
{
    /// <summary>The exchanges that lead through a proxy; none when the port itself leads to the origin.</summary>
    internal IReadOnlyList<Exchange> Handshake { get; init; } = [];

    internal static LoadTarget Of(Station station, int requestSize = 0, int replySize = 0) =>
        new(station.Port, requestSize, replySize) { Handshake = station.Handshake };
}
