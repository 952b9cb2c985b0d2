using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Completion;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Commands;

/// <summary>New-ProxyHop: a hop from a URI, a proxy server job or its parts.</summary>
[Cmdlet(VerbsCommon.New, "ProxyHop", DefaultParameterSetName = "Uri")]
[OutputType(typeof(ProxyHop))]
public sealed class NewProxyHopCommand : HopCommand
{
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Uri", ValueFromPipeline = true)]
    [Alias("Hop")]
    [HopList]
    [ArgumentCompleter(typeof(HopUriCompleter))]
    public HopArgument[] Uri { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "Endpoint")]
    [ValidateNotNullOrEmpty]
    public string HostName { get; set; } = "";

    [Parameter(ParameterSetName = "Endpoint")]
    [ValidateRange(1, 65535)]
    public int? Port { get; set; }

    [Parameter(ParameterSetName = "Endpoint")]
    public HopProtocol Protocol { get; set; }

    [Parameter(ParameterSetName = "Endpoint")]
    public SwitchParameter Tls { get; set; }

    [Parameter(ParameterSetName = "Endpoint")]
    [ValidateNotNullOrEmpty]
    public string? WebSocketPath { get; set; }

    [Parameter]
    [ValidateRange(1, HopAlternate.MaxWeight)]
    public int? Weight { get; set; }

    private protected override bool TakesMixedHops => false;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        if (!TryReadSettings(out HopSettings settings)) return;
        if (ParameterSetName == "Uri") Array.ForEach(Uri, argument => Write(() => HopsOf(argument), settings, argument.Target));
        else Write(() => [new HopParts(HostName, Port, Protocol, Tls, WebSocketPath).ToHop()], settings, HostName);
    }

    private static IEnumerable<ProxyHop> HopsOf(HopArgument argument) => argument.Value is ProxyChain chain ? chain.Hops : [argument.ResolveHop()];

    private void Write(Func<IEnumerable<ProxyHop>> read, HopSettings settings, object? target)
    {
        if (TryRead(() => read().Select(hop => settings.ApplyTo(hop) with { Weight = Weight ?? hop.Weight }).ToArray(), "InvalidHop", target, out ProxyHop[]? hops))
            WriteObject(hops, enumerateCollection: true);
    }
}
