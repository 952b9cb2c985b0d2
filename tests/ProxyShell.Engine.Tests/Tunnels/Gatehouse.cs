using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Tunnels;

/// <summary>A gateway and agents of it; stops them all at the end of a test, and a connection that outlives them is a failure.</summary>
internal sealed class Gatehouse : IAsyncDisposable
{
    private readonly List<TunnelAgent> _agents = [];
    private readonly List<IDisposable> _kept = [];
    private readonly string _sockets;

    private Gatehouse(string sockets, TunnelGateway gateway) => (_sockets, Gateway) = (sockets, gateway);

    public TunnelGateway Gateway { get; private set; }

    /// <summary>The identity of agents that bring none.</summary>
    public TunnelIdentity Identity { get; } = TunnelIdentity.Create();

    public GatewayAddress Address => GatewayAddress.Parse($"tunnel://127.0.0.1:{Gateway.LocalPort}");

    /// <summary>Starts a gateway with a control port that it can have again, and with ten ports to give.</summary>
    public static async Task<Gatehouse> StartAsync(string sockets, Func<TunnelGatewayOptions, TunnelGatewayOptions>? change = null)
    {
        int first = Ports.Take(11);
        var options = new TunnelGatewayOptions { LocalPort = first + 10, TcpPorts = [new PortRange(first, first + 9)], UdpPorts = [new PortRange(first, first + 9)], Sockets = Sockets.Of(sockets) };
        var gateway = new TunnelGateway((change ?? (o => o))(options));
        await gateway.StartAsync().Within();
        return new Gatehouse(sockets, gateway);
    }

    /// <summary>An agent that is not started; the gatehouse stops it.</summary>
    public TunnelAgent Agent(string destination, Func<TunnelAgentOptions, TunnelAgentOptions>? change = null)
    {
        var options = new TunnelAgentOptions
        {
            Gateway = Address,
            Destination = TunnelDestination.Parse(destination),
            Identity = Identity,
            FirstRetry = TimeSpan.FromMilliseconds(50),
            MaxRetry = TimeSpan.FromMilliseconds(400),
            RefusedRetry = TimeSpan.FromMilliseconds(200),
            Sockets = Sockets.Of(_sockets),
        };
        var agent = new TunnelAgent((change ?? (o => o))(options));
        _agents.Add(agent);
        return agent;
    }

    public async Task<TunnelAgent> RegisterAsync(string destination, Func<TunnelAgentOptions, TunnelAgentOptions>? change = null)
    {
        TunnelAgent agent = Agent(destination, change);
        await agent.StartAsync().Within();
        Assert.True(agent.State == TunnelAgentState.Connected, agent.StatusMessage);
        return agent;
    }

    /// <summary>Another key; disposed of with the gatehouse.</summary>
    public TunnelIdentity NewIdentity()
    {
        var identity = TunnelIdentity.Create();
        _kept.Add(identity);
        return identity;
    }

    /// <summary>Stops the gateway and starts another one in its place.</summary>
    public async Task RestartAsync(Func<TunnelGatewayOptions, TunnelGatewayOptions>? change = null, TimeSpan? grace = null)
    {
        TunnelGatewayOptions options = Gateway.Options;
        await Gateway.StopAsync(grace ?? TimeSpan.Zero).Within();
        Gateway = new TunnelGateway((change ?? (o => o))(options));
        await Gateway.StartAsync().Within();
    }

    public static Task ConnectedAsync(TunnelAgent agent, int registrations) => Deadline.Until(
        () => agent.State == TunnelAgentState.Connected && agent.Registrations >= registrations, $"{agent.Name} has registered {registrations} times; it is {agent.StatusMessage}");

    public async ValueTask DisposeAsync()
    {
        foreach (TunnelAgent agent in _agents) await agent.DisposeAsync().AsTask().Within();
        await Gateway.StopAsync(TimeSpan.Zero).Within();
        Assert.All(_agents, agent => Assert.Equal(0, agent.Counters.Active));
        Assert.Equal(0, Gateway.Counters.Active);
        Assert.Empty(Gateway.GetTunnels());
        foreach (IDisposable kept in _kept) kept.Dispose();
        Identity.Dispose();
    }
}
