namespace ProxyShell.Bench.Rows;

/// <summary>One measured quantity of a row.</summary>
/// <param name="Format">How its values are written.</param>
/// <param name="InRatios">Whether a ratio between two relays means something.</param>
internal sealed record Metric(string Name, string Format, bool InRatios = true)
{
    internal static readonly Metric Throughput = new("Gb/s", "0.0");
    internal static readonly Metric ProcessorPerGigabyte = new("CPU-s/GB", "0.000");
    internal static readonly Metric MachinePerGigabyte = new("machine CPU-s/GB", "0.000");
    internal static readonly Metric ConnectionRate = new("connections/s", "#,0");
    internal static readonly Metric PacketRate = new("packets/s", "#,0");
    internal static readonly Metric RequestRate = new("requests/s", "#,0");
    internal static readonly Metric ProcessorPerOperation = new("CPU µs each", "0.0");
    internal static readonly Metric TypicalLatency = new("p50 µs", "#,0", InRatios: false);
    internal static readonly Metric HighLatency = new("p99 µs", "#,0");
    internal static readonly Metric Failures = new("failures", "0", InRatios: false);
    internal static readonly Metric RelayCores = new("relay cores", "0.00", InRatios: false);
    internal static readonly Metric LoadCores = new("load cores", "0.00", InRatios: false);
    internal static readonly Metric OtherCores = new("other cores", "0.00", InRatios: false);
    internal static readonly Metric Memory = new("PSS MiB", "0.0", InRatios: false);

    internal static readonly Metric MemoryPerPair = new("PSS KiB/pair", "0.00");
    internal static readonly Metric PrivatePerPair = new("private KiB/pair", "0.00");
    internal static readonly Metric ResidentPerPair = new("RSS KiB/pair", "0.00", InRatios: false);
    internal static readonly Metric MemoryBefore = new("PSS MiB before", "0.0", InRatios: false);
    internal static readonly Metric MemoryAfter = new("PSS MiB after", "0.0");
    internal static readonly Metric DescriptorsPerPair = new("descriptors/pair", "0.00", InRatios: false);
    internal static readonly Metric Pairs = new("pairs", "#,0", InRatios: false);

    internal static readonly Metric SetUp = new("set-up ms", "0.0");
    internal static readonly Metric RoundTrip = new("round trip ms", "0.0");
    internal static readonly Metric SetUpInRoundTrips = new("set-up ÷ round trip", "0.000");
    internal static readonly Metric WorstSetUpInRoundTrips = new("worst", "0.000");
    internal static readonly Metric FirstByte = new("first byte ms", "0.0");

    internal static readonly Metric ShareOfLink = new("share of the link", "0.00");
    internal static readonly Metric Cycle = new("ms", "0.0");
    internal static readonly Metric CycleWithExchange = new("ms with a byte there and back", "0.0");
    internal static readonly Metric KeptRate = new("rate beside ÷ rate without", "0.000", InRatios: false);
    internal static readonly Metric AloneLatency = new("p99 µs alone", "#,0");
    internal static readonly Metric BesideLatency = new("p99 µs beside bulk", "#,0");
    internal static readonly Metric LatencyGrowth = new("p99 beside ÷ alone", "0.00", InRatios: false);
    internal static readonly Metric MemoryPerChannel = new("PSS KiB/channel end", "0.00");
    internal static readonly Metric ManagedPerChannel = new("managed KiB/channel end", "0.00");
    internal static readonly Metric Channels = new("channels", "#,0", InRatios: false);
}
