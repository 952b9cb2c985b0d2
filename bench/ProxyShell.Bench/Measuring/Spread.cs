namespace ProxyShell.Bench.Measuring;

/// <summary>Median with the lowest and highest of several rounds.</summary>
internal readonly record struct Spread(double Median, double Lowest, double Highest)
{
    internal static Spread? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Where(double.IsFinite).Order()];
        if (sorted.Length == 0)
            return null;
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}
