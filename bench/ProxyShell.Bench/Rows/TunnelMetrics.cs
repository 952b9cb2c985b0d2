namespace ProxyShell.Bench.Rows;

/// <summary>Quantities of the rows with many tunnels.</summary>
internal static class TunnelMetrics
{
    internal static readonly Metric GatewayAtRest = new("gateway PSS MiB at rest", "0.0", InRatios: false);
    internal static readonly Metric GatewayMemory = new("gateway PSS MiB", "0.0", InRatios: false);
    internal static readonly Metric AgentMemory = new("agents PSS MiB", "0.0", InRatios: false);

    internal static readonly Metric KeptBesideRequests = new("kept beside requests", "0.000", InRatios: false);
    internal static readonly Metric KeptBesideDownloads = new("kept beside downloads", "0.000", InRatios: false);
    internal static readonly Metric KeptBesideStalled = new("kept beside stalled readers", "0.000", InRatios: false);
    internal static readonly Metric LatencyBesideRequests = new("p99 µs beside requests", "#,0", InRatios: false);
    internal static readonly Metric LatencyBesideDownloads = new("p99 µs beside downloads", "#,0", InRatios: false);
    internal static readonly Metric LatencyBesideStalled = new("p99 µs beside stalled readers", "#,0", InRatios: false);
    internal static readonly Metric FloodRequests = new("flood requests/s", "#,0", InRatios: false);
    internal static readonly Metric FloodThroughput = new("flood Gb/s", "0.0", InRatios: false);
}
