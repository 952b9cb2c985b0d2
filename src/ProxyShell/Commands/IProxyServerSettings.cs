using ProxyShell.Arguments;

namespace ProxyShell.Commands;

/// <summary>The parameters that only proxy servers have, at the start and while they run.</summary>
internal interface IProxyServerSettings : IRouteSettings
{
    KeyArgument[]? Key { get; }

    KeyArgument[]? PayloadKey { get; }

    string[]? AllowDestination { get; }

    string[]? DenyDestination { get; }
}
