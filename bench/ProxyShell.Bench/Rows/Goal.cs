using System.Globalization;
using ProxyShell.Bench.Measuring;

namespace ProxyShell.Bench.Rows;

/// <summary>The side on which a goal's bound lies.</summary>
internal enum Bound
{
    AtLeast,
    AtMost,
}

/// <summary>A figure that ProxyShell is to reach.</summary>
/// <param name="PeerId">The peer whose value is the measure; null when the value itself is bounded.</param>
internal sealed record Goal(Metric Metric, string? PeerId, Bound Bound, double Limit)
{
    internal string Describe(string? peerName) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Metric.Name} {(Bound == Bound.AtLeast ? "≥" : "≤")} {Limit}{(PeerId is null ? string.Empty : $" × {peerName}")}");

    internal Spread? Measure(RowResult result, string subjectId) =>
        PeerId is null ? result.Absolute(subjectId, Metric) : result.Ratio(subjectId, PeerId, Metric);

    internal bool IsMet(double value) => Bound == Bound.AtLeast ? value >= Limit : value <= Limit;
}
