using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Start-TunnelGateway: the public side of tunnels as a job. Its parameters for HTTP are in the other part.</summary>
[Cmdlet(VerbsLifecycle.Start, "TunnelGateway", SupportsShouldProcess = true)]
[OutputType(typeof(TunnelGatewayJob))]
public sealed partial class StartTunnelGatewayCommand : StartListenerCommand, IGatewaySettings
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("LocalPort")]
    [EmptyColumn(Means = 0)]
    [ValidateRange(0, 65535)]
    public int ControlPort { get; set; }

    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? HttpPort { get; set; }

    [Parameter(Position = 2, ValueFromPipelineByPropertyName = true)]
    [EmptyColumn]
    public int? HttpsPort { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(Completion.LocalAddressCompleter))]
    public string? PublicAddress { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Domain { get; set; } = "localhost";

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? HostNamePool { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? TcpPortRange { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? UdpPortRange { get; set; }

    // what was lost on the way must not open the gateway to all keys

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? AuthorizedKey { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? AuthorizedKeysFile { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public TokenArgument? Token { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? StateFile { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? Lease { get; set; }

    [Parameter]
    public int? MaxAgents { get; set; }

    [Parameter]
    public int? MaxTunnelsPerKey { get; set; }

    [Parameter]
    public int? MaxNamesPerKey { get; set; }

    [Parameter]
    public int? MaxConnectionsPerTunnel { get; set; }

    [Parameter]
    public int? MaxPendingHandshakes { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? SilenceLimit { get; set; }

    [Parameter]
    [TimeArgument]
    public TimeSpan? ClockWindow { get; set; }

    private protected override int Port => ControlPort;

    // a gateway without any public port would be for nothing
    private bool HasPublicPort => HttpPort is not null || HttpsPort is not null || TcpPortRange is not null || UdpPortRange is not null;

    /// <inheritdoc />
    protected override void ProcessRecord()
    {
        var defaults = new TunnelGatewayOptions();
        TunnelGatewayOptions options = defaults with
        {
            HttpPort = HasPublicPort ? HttpPort : 0,
            HttpsPort = HttpsPort,
            PublicAddress = PublicAddress?.Trim(),
            Domain = Domain.Trim().ToLowerInvariant(),
            StateFile = PathOf(StateFile),
            Lease = Lease ?? defaults.Lease,
        };
        if (TryApply(this, Placed(options), out options)) Start("Start tunnel gateway", () => new TunnelGateway(options), gateway => new TunnelGatewayJob(gateway));
    }
}
