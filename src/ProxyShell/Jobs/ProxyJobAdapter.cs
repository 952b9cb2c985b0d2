using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace ProxyShell.Jobs;

/// <summary>
/// Where PowerShell finds the jobs of this module; it makes one adapter for each runspace that imports the module.
/// Its calls come under a lock of the job manager, so nothing here waits.
/// </summary>
public sealed class ProxyJobAdapter : JobSourceAdapter
{
    private readonly SessionJobs _jobs = new();

    /// <summary>Made by PowerShell when the module is imported.</summary>
    public ProxyJobAdapter() => Name = nameof(ProxyJobAdapter);

    /// <summary>Keeps the job that a Start cmdlet made. Other specifications are refused.</summary>
    public override Job2 NewJob(JobInvocationInfo specification)
    {
        if (specification is not ProxyJobSpecification proxy)
            throw new PSNotSupportedException("Jobs of ProxyShell are made by its Start cmdlets, New-StripedPipe and Register-Tunnel.");
        _jobs.Add(proxy.Job, Runspace.DefaultRunspace);
        return proxy.Job;
    }

    /// <inheritdoc />
    public override IList<Job2> GetJobs() => Select(_ => true);

    /// <inheritdoc />
    public override IList<Job2> GetJobsByName(string name, bool recurse)
    {
        var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
        return Select(job => pattern.IsMatch(job.Name));
    }

    /// <inheritdoc />
    public override IList<Job2> GetJobsByCommand(string command, bool recurse)
    {
        var pattern = new WildcardPattern(command, WildcardOptions.IgnoreCase);
        return Select(job => pattern.IsMatch(job.Command));
    }

    /// <inheritdoc />
    public override Job2 GetJobByInstanceId(Guid instanceId, bool recurse) => Find(job => job.InstanceId == instanceId);

    /// <inheritdoc />
    public override Job2 GetJobBySessionId(int id, bool recurse) => Find(job => job.Id == id);

    /// <inheritdoc />
    public override IList<Job2> GetJobsByState(JobState state, bool recurse) => Select(job => job.JobStateInfo.State == state);

    /// <summary>The jobs whose properties have the given values; names are compared without case, text with wildcards.</summary>
    public override IList<Job2> GetJobsByFilter(Dictionary<string, object> filter, bool recurse) =>
        Select(job => (filter ?? []).All(pair => Matches(job, pair.Key, pair.Value)));

    /// <inheritdoc />
    public override void RemoveJob(Job2 job)
    {
        if (job is not ProxyJob proxy) return;
        _jobs.Remove(proxy);
        _ = proxy.StopAsync(TimeSpan.Zero, "removed");
    }

    private static bool Matches(ProxyJob job, string property, object value) =>
        PSObject.AsPSObject(job).Properties[property]?.Value is { } actual
        && new WildcardPattern(value?.ToString() ?? "", WildcardOptions.IgnoreCase).IsMatch(actual.ToString());

    private List<Job2> Select(Func<ProxyJob, bool> wanted) => [.. _jobs.ToList().Where(wanted)];

    // the reference assembly does not say so, but null means "not one of mine"
    private ProxyJob Find(Func<ProxyJob, bool> wanted) => _jobs.ToList().FirstOrDefault(wanted)!;
}
