using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Routing;

namespace ProxyShell.Commands;

/// <summary>The parameters of listeners that connect to where clients want to go, at the start and while they run.</summary>
internal interface IRouteSettings
{
    ChainArgument? Chain { get; }

    ProxyRule[]? Rule { get; }

    SwitchParameter BlockByDefault { get; }

    CredentialArgument[]? Credential { get; }
}
