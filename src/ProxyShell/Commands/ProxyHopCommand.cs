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

    private protected override bool TakesMixedHops => false;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        var hops = new List<ProxyHop>();
        if (ParameterSetName == "Uri") TryReadHops(Uri, hops);
        else if (TryRead(new HopParts(HostName, Port, Protocol, Tls, WebSocketPath).ToHop, "InvalidHop", HostName, out ProxyHop? hop)) TryReadHops([new HopArgument((object)hop)], hops);
        WriteObject(hops, enumerateCollection: true);
    }
}
