using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>Serves a public TCP port of a tunnel.</summary>
internal sealed class PortServer(TunnelRelay relay, string name) : IClientServer
{
    private const string Scheme = "tcp";

    public Task ServeAsync(ServedConnection served) => relay.ServeAsync(
        served, name, TunnelKind.Tcp, new TunnelVisitor { Client = served.Addresses.Source, Gateway = served.Addresses.Destination, Scheme = Scheme });

    public ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        connection.Abort();
        return connection.DisposeAsync();
    }
}
