using System.Management.Automation;
using ProxyShell.Errors;
using ProxyShell.Identities;

namespace ProxyShell.Commands;

/// <summary>New-TunnelIdentity: a new key for agents, in a file that only its owner can read.</summary>
[Cmdlet(VerbsCommon.New, "TunnelIdentity", SupportsShouldProcess = true)]
[OutputType(typeof(TunnelIdentityFile))]
public sealed class NewTunnelIdentityCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        string path = SessionState.Path.GetUnresolvedProviderPathFromPSPath(Path);
        bool exists = File.Exists(path);
        if (exists && !Force)
        {
            WriteError(ProblemRecord.Exists(
                $"'{Path}' exists already, and who loses a key loses the names that belong to it.", "IdentityExists", Path, "Give another path, or -Force to replace the key for good."));
            return;
        }
        if (!ShouldProcess(path, exists ? "Replace tunnel identity" : "New tunnel identity")) return;
        try
        {
            WriteObject(TunnelIdentityFile.Create(path, Force));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WriteError(ProblemRecord.NotWritten($"The key file '{Path}' cannot be made: {e.Message}", "IdentityNotWritten", Path, e));
        }
    }
}
