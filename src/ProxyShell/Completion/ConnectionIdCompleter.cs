using System.Globalization;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the ids of open connections.</summary>
public sealed class ConnectionIdCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        SessionJobs.OfProcess().SelectMany(job => job.Service.GetConnections()).OrderBy(connection => connection.Id).Select(connection =>
            (connection.Id.ToString(CultureInfo.InvariantCulture), $"{connection.Service}: {connection.Client} to {connection.Destination}"));
}
