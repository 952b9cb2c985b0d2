using System.Net;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// The public side of tunnels: agents connect to its control port and register, and what the public sends to their names and ports is led to
/// them (docs/protocols/tunnel.md).
/// </summary>
public sealed partial class TunnelGateway : ListenerService
{
    private readonly TunnelDirectory _directory;

    /// <summary>Makes a gateway; it listens after <see cref="ListenerService.StartAsync"/>.</summary>
    /// <exception cref="FormatException">An option is out of range; the message names it.</exception>
    public TunnelGateway(TunnelGatewayOptions options)
        : base(options ?? throw new ArgumentNullException(nameof(options)), "TunnelGateway")
    {
        _directory = new TunnelDirectory(options.TimeProvider, options.Lease);
        Entrances = MakeEntrances(options);
        Adopt(options);
    }

    /// <summary>The options it goes by now.</summary>
    public TunnelGatewayOptions Options => (TunnelGatewayOptions)CurrentOptions;

    /// <inheritdoc />
    public override string Uri => LocalEndPoint is IPEndPoint endpoint ? $"{(Options.SpeaksTls ? "tunnels" : "tunnel")}://{endpoint}" : $"unix:{LocalEndPoint}";

    /// <summary>Who serves which name.</summary>
    internal TunnelDirectory Directory => _directory;

    /// <inheritdoc cref="ListenerService.Reconfigure"/>
    public void Reconfigure(TunnelGatewayOptions options) => base.Reconfigure(options);

    // agents say what is led where: the gateway itself connects to nothing
    private protected override RouteTable MakeRoutes(ServiceOptions options) =>
        new(DestinationPolicy.AllowAll, Chains.ProxyChain.Direct, [], blockByDefault: true);

    private protected override IClientServer MakeServer(ServiceOptions options) => new ControlServer();

    private static EndPoint PublicEndPoint(TunnelGatewayOptions options, int port) => ListenAddress.Parse(options.PublicAddress ?? options.LocalAddress, port);
}
