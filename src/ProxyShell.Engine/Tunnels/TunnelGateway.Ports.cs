using System.Globalization;
using System.Net;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The ports that agents are given.</summary>
public sealed partial class TunnelGateway
{
    /// <summary>The name of a tunnel that visitors find by its port.</summary>
    internal static string PortName(TunnelKind kind, int port) => string.Create(CultureInfo.InvariantCulture, $"{(kind == TunnelKind.Tcp ? "tcp" : "udp")}:{port}");

    /// <summary>Listens on a public TCP port.</summary>
    internal IAsyncDisposable OpenTcp(int port)
    {
        string name = PortName(TunnelKind.Tcp, port);
        var entrance = new ServiceEntrance(
            PublicEndPoint(Options, port), options => new PortServer(new TunnelRelay(ContextOf((TunnelGatewayOptions)options), Directory), name));
        Open(entrance);
        return new OpenEntrance(this, entrance);
    }

    /// <summary>Receives datagrams at a public UDP port.</summary>
    internal IAsyncDisposable OpenUdp(int port)
    {
        DatagramSocket socket = Options.Sockets.BindDatagrams((IPEndPoint)PublicEndPoint(Options, port));
        var receiver = new TunnelDatagramPort(() => ContextOf(Options), Directory, PortName(TunnelKind.Udp, port));
        receiver.Start(this, socket);
        return receiver;
    }

    /// <summary>The public address of a tunnel.</summary>
    internal string UrlOf(TunnelKind kind, TunnelEntry entry)
    {
        if (kind is TunnelKind.Tcp or TunnelKind.Udp) return string.Create(CultureInfo.InvariantCulture, $"{(kind == TunnelKind.Tcp ? "tcp" : "udp")}://{Options.Domain}:{entry.Port}");
        bool isSecure = kind == TunnelKind.Tls || HttpsPort != 0;
        int port = isSecure ? HttpsPort : HttpPort, usual = isSecure ? 443 : 80;
        return string.Create(CultureInfo.InvariantCulture, $"{(isSecure ? "https" : "http")}://{entry.Name}{(port == usual ? "" : $":{port}")}");
    }

    private static EndPoint PublicEndPoint(TunnelGatewayOptions options, int port) => ListenAddress.Parse(options.PublicAddress ?? options.LocalAddress, port);
}
