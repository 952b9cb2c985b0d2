using System.Globalization;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Measuring;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Rows;

/// <summary>Rows of datagrams that go through a relay to an origin and back.</summary>
internal static class DatagramRows
{
    private const int Clients = 16;
    private const int PacketsPerEcho = 2;

    /// <param name="window">Datagrams that each client keeps under way.</param>
    internal static RateRow Create(string id, int size, int window) => new()
    {
        Id = id,
        Title = string.Create(CultureInfo.InvariantCulture, $"UDP: datagrams of {size:#,0} bytes there and back, {Clients} clients with {window} each under way"),
        Origin = OriginSpecification.Echo(),
        Load = station => new DatagramLoad(LoadTarget.Of(station, size, size), Clients, window),
        Metrics =
        [
            Metric.PacketRate, Metric.ProcessorPerOperation, Metric.TypicalLatency, Metric.HighLatency,
            Metric.RelayCores, Metric.LoadCores, Metric.OtherCores, Metric.Memory, Metric.Failures,
        ],
        Read = Read,
        Goals = [new Goal(Metric.PacketRate, "nginx", Bound.AtLeast, 1.0), new Goal(Metric.PacketRate, "socat", Bound.AtLeast, 1.0)],
        Peers = context => context.PeersFor(RelayService.Udp),
        CountSystemCalls = true,
    };

    private static Dictionary<Metric, double> Read(LoadWindow window, ILoad run) => new(Readings.Common(window))
    {
        [Metric.PacketRate] = PacketsPerEcho * window.Completed / window.Seconds,
        [Metric.ProcessorPerOperation] = window.Processor.Relay / (PacketsPerEcho * window.Completed) * 1e6,
        [Metric.TypicalLatency] = run.Latency!.Percentile(0.5),
        [Metric.HighLatency] = run.Latency.Percentile(0.99),
    };
}
