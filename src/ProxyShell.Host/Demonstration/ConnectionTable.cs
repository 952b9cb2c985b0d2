using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Host.Tables;

namespace ProxyShell.Host.Demonstration;

/// <summary>Connections of services and agents as a table.</summary>
internal static class ConnectionTable
{
    public static void Write(TextWriter writer, IEnumerable<ProxyConnection> connections)
    {
        var table = new TextTable("Id", "Service", "Client", "Destination", "State", "Sent", "Received", "Chain");
        foreach (ProxyConnection connection in connections.OrderBy(connection => connection.Id))
        {
            table.Add(
                Text(connection.Id), connection.Service, connection.Client, connection.Destination, connection.State.ToString(),
                Text(connection.BytesSent), Text(connection.BytesReceived), connection.Chain);
        }
        table.Write(writer);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
