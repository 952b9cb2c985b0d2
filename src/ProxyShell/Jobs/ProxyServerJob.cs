using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Jobs;

/// <summary>A running proxy server.</summary>
public sealed class ProxyServerJob : ProxyJob
{
    private readonly ProxyServer _server;

    internal ProxyServerJob(ProxyServer server)
        : base(server, "Start-ProxyServer", "ProxyServer") => _server = server;

    /// <summary>This server as a hop for clients on this machine, with its first key and with its certificate pinned.</summary>
    public ProxyHop ToHop() => _server.ToHop();
}
