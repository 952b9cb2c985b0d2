using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the names of this module's jobs.</summary>
public sealed class JobNameCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        SessionJobs.OfProcess().Select(job => (job.Name, $"{job.PSJobTypeName}, {job.StatusMessage}"));
}
