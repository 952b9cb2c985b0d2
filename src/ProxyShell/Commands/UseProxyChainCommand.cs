using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Security;
using System.Security.Cryptography;
using ProxyShell.Arguments;
using ProxyShell.Clients;
using ProxyShell.Completion;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Errors;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Use-ProxyChain: runs a block whose programs and web requests go through a chain.</summary>
[Cmdlet(VerbsOther.Use, "ProxyChain")]
[OutputType(typeof(object))]
public sealed class UseProxyChainCommand : ProxyCmdlet
{
    private const string UserName = "proxyshell";

    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument Chain { get; set; } = null!;

    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNull]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    [Parameter]
    [ValidateNotNullOrEmpty]
    public ProxyRule[] Rule { get; set; } = [];

    [Parameter]
    [TimeArgument]
    public TimeSpan? ConnectTimeout { get; set; }

    [Parameter]
    public SwitchParameter AllowAnonymous { get; set; }

    /// <inheritdoc />
    protected override void EndProcessing()
    {
        if (!TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? chain)) return;
        using ProxiedScope? scope = ProxiedScope.TryOpen(ScriptBlock.Module?.SessionState ?? SessionState);
        if (scope is null)
        {
            WriteError(ProblemRecord.Busy(
                "Another runspace is within Use-ProxyChain, and environment variables belong to the whole process.", "ProxyVariablesInUse", Chain.Target,
                "Wait for it to end, or use Start-AccessListener and tell each client its -Proxy."));
            return;
        }
        // loopback is open to all users of the machine, and the chain is this one's
        PSCredential? credential = AllowAnonymous ? null : NewCredential();
        if (StartListener(chain, credential) is not { } job) return;
        try
        {
            scope.LeadTo(job.LocalPort, credential);
            RunBlock();
        }
        finally
        {
            SessionJobs.Discard(job);
        }
        foreach (ProxyEvent failure in job.Service.Events.ToList().Where(item => item.Kind is ProxyEventKind.Failed or ProxyEventKind.Refused)) WriteVerbose(failure.Message);
    }

    private AccessListenerJob? StartListener(ProxyChain chain, PSCredential? credential)
    {
        var options = new AccessListenerOptions
        {
            Name = "Use-ProxyChain",
            Chain = chain,
            Rules = Rule,
            Credentials = credential is null ? [] : [new CredentialArgument(credential).Resolve()],
            StopTimeout = TimeSpan.Zero,
        };
        options = options with { ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout };
        return StartJob(() => new AccessListener(options), listener => new AccessListenerJob(listener), Chain.Target!);
    }

    // in the caller's own scope, as ForEach-Object does it, with its output and errors passed on as they come
    private void RunBlock()
    {
        string run = MergedErrors.AreWantedBy(CommandRuntime) ? ". $args[0] 2>&1" : ". $args[0]";
        InvokeCommand.InvokeScript(run, useNewScope: false, PipelineResultTypes.Output | PipelineResultTypes.Error, null, ScriptBlock);
    }

    private static PSCredential NewCredential()
    {
        var password = new SecureString();
        foreach (char digit in RandomNumberGenerator.GetHexString(32, lowercase: true)) password.AppendChar(digit);
        return new PSCredential(UserName, password);
    }
}
