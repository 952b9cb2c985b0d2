using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Routing;

/// <summary>The way out of a service: chooses the chain for a destination and connects. What it goes by can be exchanged at any time.</summary>
internal sealed partial class Outbound(ChainConnector connector, RouteTable routes)
{
    private volatile RouteTable _routes = routes;

    /// <summary>What it goes by; connections under way are not touched by an exchange.</summary>
    public RouteTable Routes
    {
        get => _routes;
        set => _routes = value;
    }

    /// <summary>The way to a destination; the route's policy still has to agree to it.</summary>
    /// <exception cref="ProxyException">It is blocked: <see cref="ProxyErrorReason.Forbidden"/>, stage Policy, no hop.</exception>
    public Route Choose(HostEndpoint destination) => _routes.Choose(TransportAddress.Tcp(destination));

    /// <summary>Connects, and notes on the record which way was taken; every alternate on it gets its share of the time limit.</summary>
    public ValueTask<DuplexConnection> ConnectAsync(ProxyConnection record, FlightTarget target, EarlyPayload? early, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        Route route = _routes.Choose(target.Address!);
        record.Chain = route.Chain.ToString();
        return connector.ConnectAsync(
            new ChainRequest(route.Chain, target, route.Policy)
            {
                TimeLimit = timeLimit,
                Early = early,
                Trying = route.Chain.HasAlternates ? path => record.Chain = path.ToString() : null,
            },
            cancellationToken);
    }
}
