using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Commands;

/// <summary>The way out and the limits of a listener: what is told to it when it starts, and what can be told otherwise later.</summary>
public abstract class ListenerSettingsCommand : ProxyCmdlet
{
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
    [ValidateRange(1, int.MaxValue)]
    public int? MaxConnections { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0, int.MaxValue)]
    public int? MaxConnectionsPerClient { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public long? BandwidthLimit { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public long? ClientBandwidthLimit { get; set; }

    [Parameter]
    [ValidateNotNull]
    public string[]? AllowSource { get; set; }

    [Parameter]
    [ValidateNotNull]
    public string[]? DenySource { get; set; }

    [Parameter]
    [TimeArgument(MayBeInfinite = true)]
    public TimeSpan? IdleTimeout { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ConnectTimeout { get; set; }

    private protected bool TryReadChain(out ProxyChain chain)
    {
        chain = ProxyChain.Direct;
        if (Chain is null) return true;
        if (!TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? given)) return false;
        chain = given;
        return true;
    }

    private protected bool TryReadSources(out List<SourceNetwork> allowed, out List<SourceNetwork> denied)
    {
        bool good = TryReadEach(AllowSource, SourceNetwork.Parse, "InvalidSource", out allowed);
        return good & TryReadEach(DenySource, SourceNetwork.Parse, "InvalidSource", out denied);
    }
}
