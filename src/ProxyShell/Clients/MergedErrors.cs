using System.Management.Automation;
using System.Reflection;

namespace ProxyShell.Clients;

/// <summary>
/// Whether a command's errors are merged into its output (<c>2&gt;&amp;1</c>). PowerShell loses the errors of a block that a cmdlet runs
/// then, so who runs one has to merge them itself. Only the command's runtime knows, and the reference assembly does not show it;
/// with a runtime that does not tell, errors take their usual way.
/// </summary>
internal static class MergedErrors
{
    public static bool AreWantedBy(ICommandRuntime runtime) =>
        runtime.GetType().GetProperty("ErrorMergeTo", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(runtime)?.ToString() == "Output";
}
