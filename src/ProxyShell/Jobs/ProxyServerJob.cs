using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;

namespace ProxyShell.Jobs;

/// <summary>A running proxy server.</summary>
public sealed class ProxyServerJob : ListenerJob
{
    private readonly ProxyServer _server;

    internal ProxyServerJob(ProxyServer server)
        : base(server, "Start-ProxyServer", "ProxyServer") => _server = server;

    /// <summary>The hops through which it reaches what its clients ask for.</summary>
    public ProxyChain Chain => _server.Options.Chain;

    /// <summary>The rules for destinations; the first that matches decides.</summary>
    public IReadOnlyList<ProxyRule> Rules => _server.Options.Rules;

    /// <summary>This server as a hop for clients on this machine, with its first key and with its certificate pinned.</summary>
    public ProxyHop ToHop() => _server.ToHop();
}
