using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Routing;

/// <summary>The way out of a service: chooses the chain for a destination and connects. What it goes by can be exchanged at any time.</summary>
internal sealed class Outbound(ChainConnector connector, DestinationPolicy policy, ProxyChain chain)
{
    private volatile ProxyChain _chain = chain;

    /// <summary>The chain that destinations take unless a rule says otherwise.</summary>
    public ProxyChain Chain
    {
        get => _chain;
        set => _chain = value;
    }

    /// <summary>Connects, and notes on the record which chain was taken.</summary>
    public ValueTask<DuplexConnection> ConnectAsync(ProxyConnection record, FlightTarget target, EarlyPayload? early, CancellationToken cancellationToken)
    {
        ProxyChain chain = _chain;
        record.Chain = chain.ToString();
        return connector.ConnectAsync(chain, target, policy, early, cancellationToken);
    }
}
