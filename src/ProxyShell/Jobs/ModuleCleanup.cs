using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace ProxyShell.Jobs;

/// <summary>Remove-Module ends all listeners that were started in the session.</summary>
public sealed class ModuleCleanup : IModuleAssemblyCleanup
{
    /// <inheritdoc />
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        if (Runspace.DefaultRunspace is { } runspace) SessionJobs.StopAllOf(runspace, "the module was removed");
    }
}
