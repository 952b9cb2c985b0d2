using System.Globalization;
using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Peers;

/// <summary>The relay anyone would write with .NET's asynchronous sockets; this program in another role.</summary>
internal sealed class PlainAsyncPeer : IRelayPeer
{
    internal const string RoleName = "plain-relay";

    public string Id => "plain";

    public string Name => "plain async C#";

    public RelayService Service => RelayService.Tcp;

    public bool BulkOnly => false;

    public int MaxIdlePairs => int.MaxValue;

    public string? FindVersion() => RuntimeInformation.FrameworkDescription;

    public ProcessCommand Prepare(RelayPlan plan) =>
        ProcessCommand.Self([RoleName, $"{plan.Port}", $"{plan.DestinationPort}"]);

    internal static async Task RunRoleAsync(string[] arguments)
    {
        int port = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        int destinationPort = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        await new PlainAsyncRelay(port, destinationPort).RunAsync();
    }
}
