using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Changes the settings of running listeners that connect to where clients want to go.</summary>
public abstract class SetRoutedListenerCommand : SetListenerCommand, IRouteSettings
{
    [Parameter]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument? Chain { get; set; }

    [Parameter]
    public ProxyRule[]? Rule { get; set; }

    [Parameter]
    public SwitchParameter BlockByDefault { get; set; }

    [Parameter]
    public CredentialArgument[]? Credential { get; set; }

    private protected override bool MayChainBeEmpty => true;

    private protected override void WarnOf(ProxyJob job)
    {
        if (IsGiven(nameof(Chain)) && IsChainEmpty(this))
            WriteWarning($"-Chain is empty, so '{job.Name}' connects directly from now on; -Chain {ProxyChain.Direct} says that this is meant.");
    }
}
