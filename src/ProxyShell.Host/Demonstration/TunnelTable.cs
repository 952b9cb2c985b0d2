using System.Globalization;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Host.Tables;

namespace ProxyShell.Host.Demonstration;

/// <summary>The tunnels of a gateway as a table.</summary>
internal static class TunnelTable
{
    public static void Write(TextWriter writer, TunnelGateway gateway)
    {
        var table = new TextTable("Url", "Agent", "Destination", "Connections", "RoundTrip (ms)");
        foreach (TunnelInfo tunnel in gateway.GetTunnels())
        {
            table.Add(
                tunnel.Url, tunnel.Agent, tunnel.Destination, tunnel.Connections.ToString(CultureInfo.InvariantCulture),
                tunnel.RoundTrip?.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture) ?? "");
        }
        table.Write(writer);
    }
}
