using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Commands;

/// <summary>New-ProxyChain: hops, from arguments or the pipeline, in their order.</summary>
[Cmdlet(VerbsCommon.New, "ProxyChain")]
[OutputType(typeof(ProxyChain))]
public sealed class NewProxyChainCommand : HopCommand
{
    private readonly List<ProxyHop> _hops = [];
    private ProxyKey? _payloadKey;
    private bool _good = true;

    // nothing that comes down the pipeline may fail to bind: PowerShell would leave it out of the chain and go on
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [Alias("Uri")]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [HopList]
    public HopArgument[] Hop { get; set; } = [];

    [Parameter]
    [ValidateNotNull]
    public KeyArgument? PayloadKey { get; set; }

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        _good &= TryReadHops(Hop, _hops);
        _payloadKey = HopArgument.PayloadKeyOf(Hop) ?? _payloadKey;
    }

    /// <inheritdoc />
    protected override void EndProcessing()
    {
        _good &= PayloadKey is null || TryRead(PayloadKey.Resolve, "InvalidKey", PayloadKey.ToString(), out _payloadKey);
        _good = _good && (_hops.Count == 0 || TryUseSettings(_hops));
        // a chain without the hops that could not be read would be another route than the one asked for
        if (_good && TryRead(MakeChain, "InvalidChain", null, out ProxyChain? chain)) WriteObject(chain);
    }

    private ProxyChain MakeChain() =>
        _hops.Count > 0 ? new ProxyChain(_hops) { PayloadKey = _payloadKey } : throw new FormatException("No hops were given, so there is no chain.");
}

/// <summary>Add-ProxyHop: a chain with more hops at its end.</summary>
[Cmdlet(VerbsCommon.Add, "ProxyHop")]
[OutputType(typeof(ProxyChain))]
public sealed class AddProxyHopCommand : HopCommand
{
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("Uri")]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    [HopList]
    public HopArgument[] Hop { get; set; } = [];

    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    [WholeChain]
    public ChainArgument Chain { get; set; } = null!;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        var hops = new List<ProxyHop>();
        bool good = TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? chain);
        good &= TryReadHops(Hop, hops);
        if (good && TryUseSettings(hops) && TryRead(() => chain! + new ProxyChain(hops) { PayloadKey = HopArgument.PayloadKeyOf(Hop) }, "InvalidChain", Chain.Target, out ProxyChain? longer)) WriteObject(longer);
    }
}
