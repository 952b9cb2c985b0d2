using System.Management.Automation;
using ProxyShell.Arguments;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels;
using ProxyShell.Engine.Tunnels.Http;
using ProxyShell.Jobs;

namespace ProxyShell.Commands;

/// <summary>Start-TunnelGateway: the public side of tunnels as a job. Its parameters for HTTP are in the other part.</summary>
[Cmdlet(VerbsLifecycle.Start, "TunnelGateway", SupportsShouldProcess = true)]
[OutputType(typeof(TunnelGatewayJob))]
public sealed partial class StartTunnelGatewayCommand : StartListenerCommand
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
        bool good = TryReadEach(TcpPortRange, ReadPorts, "InvalidPort", out List<PortRange> tcp);
        good &= TryReadEach(UdpPortRange, ReadPorts, "InvalidPort", out List<PortRange> udp);
        TunnelToken? token = null;
        good &= Token is null || TryRead(Token.Resolve, "InvalidToken", Token.ToString(), out token);
        good &= TryReadHttp(new TunnelHttpOptions(), out TunnelHttpOptions http);
        TunnelGatewayOptions options = new();
        options = WithLimits(options) with
        {
            HttpPort = HasPublicPort ? HttpPort : 0,
            HttpsPort = HttpsPort,
            PublicAddress = PublicAddress?.Trim(),
            Domain = Domain.Trim().ToLowerInvariant(),
            HostNamePool = [.. (HostNamePool ?? []).Select(label => label.Trim().ToLowerInvariant())],
            TcpPorts = tcp,
            UdpPorts = udp,
            AuthorizedKeys = AuthorizedKey ?? [],
            AuthorizedKeysFile = PathOf(AuthorizedKeysFile),
            Token = token,
            StateFile = PathOf(StateFile),
            Http = http,
        };
        if (TryApply(Placed(options), out options) && good) Start("Start tunnel gateway", () => new TunnelGateway(options), gateway => new TunnelGatewayJob(gateway));
    }

    private static PortRange ReadPorts(string text) => PortRange.Parse(text) is { First: > 0 } range
        ? range
        : throw new FormatException($"'{text}' begins with port 0; the public connects to ports from 1 on.");

    private TunnelGatewayOptions WithLimits(TunnelGatewayOptions options) => options with
    {
        Lease = Lease ?? options.Lease,
        MaxAgents = MaxAgents ?? options.MaxAgents,
        MaxTunnelsPerKey = MaxTunnelsPerKey ?? options.MaxTunnelsPerKey,
        MaxNamesPerKey = MaxNamesPerKey ?? options.MaxNamesPerKey,
        MaxConnectionsPerTunnel = MaxConnectionsPerTunnel ?? options.MaxConnectionsPerTunnel,
        MaxPendingHandshakes = MaxPendingHandshakes ?? options.MaxPendingHandshakes,
        SilenceLimit = SilenceLimit ?? options.SilenceLimit,
        ClockWindow = ClockWindow ?? options.ClockWindow,
    };

    // paths are resolved as PowerShell does, which is not as the process does
    private string? PathOf(string? path) => path is null ? null : SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);
}
