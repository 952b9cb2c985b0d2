using System.Management.Automation;
using System.Reflection;

namespace ProxyShell.Jobs;

/// <summary>
/// Gives a job's Failed state its reason. PowerShell has a protected method for that which the reference assembly we compile
/// against leaves out, so it is bound at run time; without it the state is set all the same, only without the reason.
/// </summary>
internal static class FailedJobState
{
    private static readonly MethodInfo? SetJobState = typeof(Job2).GetMethod(
        "SetJobState", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(JobState), typeof(Exception)]);

    /// <summary>Sets the state with its reason; false when this PowerShell has no such method.</summary>
    public static bool TrySet(Job2 job, Exception reason)
    {
        if (SetJobState is null) return false;
        SetJobState.CreateDelegate<Action<JobState, Exception>>(job)(JobState.Failed, reason);
        return true;
    }
}
