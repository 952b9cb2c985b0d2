using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Commands;

/// <summary>New-ProxyChain: hops and groups of alternates, from arguments or the pipeline, in their order.</summary>
[Cmdlet(VerbsCommon.New, "ProxyChain")]
[OutputType(typeof(ProxyChain))]
public sealed class NewProxyChainCommand : PlaceCommand
{
    private readonly List<HopArgument> _arguments = [];

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
        // an array in the pipeline is one place, an array as argument a list of places
        if (MyInvocation.ExpectingInput && Hop.Length != 1) _arguments.Add(new HopArgument(Hop));
        else _arguments.AddRange(Hop);
    }

    /// <inheritdoc />
    protected override void EndProcessing()
    {
        ProxyKey? payloadKey = HopArgument.PayloadKeyOf(_arguments);
        bool good = TryReadPlaces(_arguments, out List<HopGroup> places);
        good &= PayloadKey is null || TryRead(PayloadKey.Resolve, "InvalidKey", PayloadKey.ToString(), out payloadKey);
        // a chain without the hops that could not be read would be another route than the one asked for
        if (good && TryRead(() => MakeChain(places, payloadKey), "InvalidChain", places.Count == 0 ? null : string.Join(" > ", places), out ProxyChain? chain)) WriteObject(chain);
    }

    private static ProxyChain MakeChain(List<HopGroup> places, ProxyKey? payloadKey) =>
        places.Count > 0 ? new ProxyChain(places) { PayloadKey = payloadKey } : throw new FormatException("No hops were given, so there is no chain.");
}

/// <summary>Add-ProxyHop: a chain with more places at its end.</summary>
[Cmdlet(VerbsCommon.Add, "ProxyHop")]
[OutputType(typeof(ProxyChain))]
public sealed class AddProxyHopCommand : PlaceCommand
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
        bool good = TryRead(Chain.Resolve, "InvalidChain", Chain.Target, out ProxyChain? chain);
        good &= TryReadPlaces(Hop, out List<HopGroup> places);
        if (good && TryRead(() => chain! + new ProxyChain(places) { PayloadKey = HopArgument.PayloadKeyOf(Hop) }, "InvalidChain", Chain.Target, out ProxyChain? longer)) WriteObject(longer);
    }
}
