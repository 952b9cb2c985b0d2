using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>What a gateway lends those who serve the public's HTTP by one set of options on one port.</summary>
internal sealed class TunnelHttpContext(TunnelGatewayOptions options, ConnectionRegistry registry, TunnelHttp shared, string scheme)
    : ServiceContext(options, registry)
{
    public const string Plain = "http";
    public const string Secure = "https";

    public TunnelHttpOptions Http => options.Http;

    public TunnelDirectory Directory => shared.Directory;

    /// <summary>What outlives the options.</summary>
    public TunnelHttp Shared => shared;

    /// <summary>How clients come: <c>http</c> or <c>https</c>.</summary>
    public string Scheme => scheme;

    /// <summary>Writes a request down, for subscribers and for the access log.</summary>
    public void Write(HttpRequestRecord request, ProxyConnection connection)
    {
        // whoever hears of a request and then asks the next one finds them in the log in this order
        shared.AccessLog?.Write(request);
        Registry.Write(request, connection);
    }
}
