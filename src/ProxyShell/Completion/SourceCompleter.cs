using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the addresses of clients that are connected now, and the private networks.</summary>
public sealed class SourceCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
    [
        .. SessionJobs.OfProcess().SelectMany(job => job.Service.GetConnections()).GroupBy(connection => AddressOf(connection.Client)).Where(clients => clients.Key.Length > 0)
            .Select(clients => (clients.Key, $"a client of {string.Join(", ", clients.Select(connection => connection.Service).Distinct())}")),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("127.0.0.0/8", "this machine"),
        ("fc00::/7", "private networks, IPv6"),
        ("::1", "this machine, IPv6"),
    ];

    // without the port; clients of Unix sockets have no address
    private static string AddressOf(string client) => System.Net.IPEndPoint.TryParse(client, out System.Net.IPEndPoint? endpoint) && client.Contains(':', StringComparison.Ordinal) ? endpoint.Address.ToString() : "";
}
