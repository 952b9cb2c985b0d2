using System.Text.Json;
using System.Text.Json.Serialization;
using ProxyShell.Bench.Rows;

namespace ProxyShell.Bench.Peers;

/// <summary>ProxyShell's striped pipe, near and far end run by a Host each.</summary>
internal sealed class StripedPeer(ProxyShellHost host, int stripes) : IRelayPeer
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public string Id { get; init; } = ProxyShellPeer.MainId;

    public string Name { get; init; } = $"ProxyShell, {stripes} stripes";

    public RelayService Service => RelayService.Session;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    /// <summary>The link between its ends when it is not that of the row.</summary>
    internal SlowLink? Link { get; init; }

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan)
    {
        object far = new { name = "far", accept = true, localPort = plan.CarrierPort, destination = HostConfiguration.EndPoint(plan.DestinationPort), maxConnections = plan.MaxConnections };
        object near = new { name = "near", localPort = plan.Port, peer = HostConfiguration.EndPoint(plan.DialledPort), stripeCount = stripes, maxConnections = plan.MaxConnections };
        return TwoEnds.Join(Run(plan, "far", far), Run(plan, "near", near), plan.CarrierPort);
    }

    private ProcessCommand Run(RelayPlan plan, string name, object end)
    {
        string file = Path.Combine(plan.Directory, $"{name}-{plan.Port}.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new { stripedPipes = new[] { end } }, Json));
        return host.Run(file, new Dictionary<string, string>());
    }
}
