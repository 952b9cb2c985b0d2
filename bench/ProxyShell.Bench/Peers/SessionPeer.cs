using System.Globalization;
using ProxyShell.Bench.Sessions;

namespace ProxyShell.Bench.Peers;

/// <summary>ProxyShell's sessions between two processes: near and far end of one, over TCP.</summary>
internal sealed class SessionPeer(ProxyShellHost host) : ISessionPeer
{
    // as src/ProxyShell.Host has it
    private static readonly Dictionary<string, string> HostSettings = new() { ["DOTNET_TieredPGO"] = "0", ["DOTNET_GCGen0MaxBudget"] = "0x1000000" };

    public string Id => ProxyShellPeer.MainId;

    public string Name => "ProxyShell session";

    public RelayService Service => RelayService.Session;

    public bool BulkOnly => false;

    public int MaxIdlePairs => 0;

    public string? FindVersion() => host.Version();

    public ProcessCommand Prepare(RelayPlan plan) => Join(plan, SessionRoles.Near, plan.Forwards.Select(forward => $"{forward.Port}={forward.DestinationPort}"));

    public ProcessCommand PrepareDriver(RelayPlan plan) => Join(plan, SessionRoles.Driver, []);

    private static ProcessCommand Join(RelayPlan plan, string role, IEnumerable<string> forwards) => TwoEnds.Join(
        ProcessCommand.Self([SessionRoles.Far, Text(plan.CarrierPort)]),
        ProcessCommand.Self([role, Text(plan.DialledPort), .. forwards]) with { Environment = HostSettings });

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
