using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Jobs;

/// <summary>The open sessions of this process: those that clients keep to jobs, and those that the pool keeps to hops.</summary>
internal static class OpenSessions
{
    /// <summary>All of them.</summary>
    public static IEnumerable<ProxySession> OfProcess() =>
        [.. SessionJobs.OfProcess().SelectMany(job => job.Service.GetSessions()), .. SessionPool.Shared.GetSessions()];

    /// <summary>Those of a job: its clients', and those of the pool that it uses.</summary>
    public static IEnumerable<ProxySession> Of(ProxyJob job) =>
        [.. job.Service.GetSessions(), .. SessionPool.Shared.GetSessions().Where(session => session.Services.Contains(job.Service.Name))];
}
