using System.Management.Automation;
using System.Security;
using ProxyShell.Arguments;
using ProxyShell.Engine.Security;

namespace ProxyShell.Commands;

/// <summary>New-ProxyKey: a new random key, or one from its text.</summary>
[Cmdlet(VerbsCommon.New, "ProxyKey", DefaultParameterSetName = "Random")]
[OutputType(typeof(ProxyKey))]
public sealed class NewProxyKeyCommand : ProxyCmdlet
{
    [Parameter(Mandatory = true, ParameterSetName = "Text", ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string Text { get; set; } = "";

    [Parameter(Mandatory = true, ParameterSetName = "SecureString", ValueFromPipeline = true)]
    [ValidateNotNull]
    public SecureString SecureString { get; set; } = null!;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        if (ParameterSetName == "Random") WriteObject(ProxyKey.Create());
        else Write(ParameterSetName == "Text" ? new KeyArgument(Text) : new KeyArgument(SecureString));
    }

    private void Write(KeyArgument given)
    {
        if (TryRead(given.Resolve, "InvalidKey", given.ToString(), out ProxyKey? key)) WriteObject(key);
    }
}
