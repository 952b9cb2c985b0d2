using System.Management.Automation;

namespace ProxyShell.Jobs;

/// <summary>Tells the session's adapter which job to keep: one whose service already listens.</summary>
internal sealed class ProxyJobSpecification(ProxyJob job)
    : JobInvocationInfo(new JobDefinition(typeof(ProxyJobAdapter), job.Command, job.Name), new Dictionary<string, object>())
{
    public ProxyJob Job { get; } = job;
}
