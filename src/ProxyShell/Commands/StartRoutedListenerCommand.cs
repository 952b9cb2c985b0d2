using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Routing;

namespace ProxyShell.Commands;

/// <summary>Starts a listener that connects to where clients want to go.</summary>
public abstract class StartRoutedListenerCommand : StartListenerCommand, IRouteSettings
{
    // what was lost on the way must not become a direct connection, no rules, or an open door

    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument? Chain { get; set; }

    [Parameter]
    [ValidateNotNull]
    public ProxyRule[]? Rule { get; set; }

    [Parameter]
    public SwitchParameter BlockByDefault { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public CredentialArgument[]? Credential { get; set; }

    private protected override ProxyRule[] CheckedRules(IRouteSettings given) => given.Rule is { Length: 0 }
        ? throw new FormatException("The list of rules is empty; to do without rules leave -Rule out.")
        : base.CheckedRules(given);
}
