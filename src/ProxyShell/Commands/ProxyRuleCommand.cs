using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Commands;

/// <summary>New-ProxyRule: what happens to some destinations.</summary>
[Cmdlet(VerbsCommon.New, "ProxyRule", DefaultParameterSetName = "Chain")]
[OutputType(typeof(ProxyRule))]
public sealed class NewProxyRuleCommand : ProxyCmdlet
{
    private readonly List<DestinationPattern> _destinations = [];
    private bool _good = true;
    private bool _isAsked;

    // as with chains, nothing that comes down the pipeline may fail to bind: a rule without it would block less than was asked for
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(DestinationPatternCompleter))]
    public string[]? Destination { get; set; }

    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[]? Port { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Direct")]
    public SwitchParameter Direct { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Block")]
    public SwitchParameter Block { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Chain")]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [WholeChain]
    public ChainArgument? Chain { get; set; }

    private bool NamesDestinations => MyInvocation.ExpectingInput || MyInvocation.BoundParameters.ContainsKey(nameof(Destination));

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        _isAsked = true;
        string[]? given = Destination ?? (MyInvocation.ExpectingInput ? [null!] : null);
        _good &= TryReadEach(given, text => DestinationPattern.Parse(text ?? ""), "InvalidDestinationPattern", out List<DestinationPattern> patterns);
        _destinations.AddRange(patterns);
    }

    /// <inheritdoc />
    protected override void EndProcessing()
    {
        _good &= TryReadEach(Port, PortRange.Parse, "InvalidPort", out List<PortRange> ports);
        ProxyChain? chain = null;
        _good &= Chain is null || TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out chain);
        if (_good && TryRead(() => Make(chain, ports), "InvalidRule", Chain?.Target, out ProxyRule? rule)) WriteObject(rule);
    }

    private ProxyRule Make(ProxyChain? chain, List<PortRange> ports)
    {
        if (NamesDestinations && _destinations.Count == 0)
            throw new FormatException($"The list of destinations is empty{(_isAsked ? "" : ": nothing came down the pipeline")}; for a rule about all destinations leave -Destination out.");
        return chain is not null ? ProxyRule.Through(chain, _destinations, ports)
            : Direct ? ProxyRule.Direct(_destinations, ports)
            : ProxyRule.Block(_destinations, ports);
    }
}
