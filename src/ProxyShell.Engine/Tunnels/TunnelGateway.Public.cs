using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The ports that host names are served on.</summary>
public sealed partial class TunnelGateway
{
    private ServiceEntrance? _http;
    private ServiceEntrance? _https;

    /// <summary>The bound port for HTTP; 0 when there is none.</summary>
    public int HttpPort => _http?.LocalPort ?? 0;

    /// <summary>The bound port for HTTPS; 0 when there is none.</summary>
    public int HttpsPort => _https?.LocalPort ?? 0;

    private protected override IReadOnlyList<ServiceEntrance> Entrances { get; }

    // each entrance is served by a server made from the options, anew whenever they change
    private IReadOnlyList<ServiceEntrance> MakeEntrances(TunnelGatewayOptions options)
    {
        if (options.HttpPort is { } http) _http = new ServiceEntrance(PublicEndPoint(options, http), MakeHttpServer);
        if (options.HttpsPort is { } https) _https = new ServiceEntrance(PublicEndPoint(options, https), MakeHttpsServer);
        return [.. new[] { _http, _https }.OfType<ServiceEntrance>()];
    }

    private IClientServer MakeHttpServer(ServiceOptions options) => _publicHttp.MakeServer((TunnelGatewayOptions)options);

    private IClientServer MakeHttpsServer(ServiceOptions options) => _publicHttp.MakeTlsServer((TunnelGatewayOptions)options);

    private protected override ValueTask OnEmptiedAsync() => _publicHttp.DisposeAsync();
}
