using System.Globalization;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the ids of open sessions.</summary>
public sealed class SessionIdCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        OpenSessions.OfProcess().OrderBy(session => session.Id).Select(session => (session.Id.ToString(CultureInfo.InvariantCulture), session.ToString()));
}
