using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Connects to a destination through a chain; every failure names the hop or destination at fault.</summary>
internal sealed partial class ChainConnector(Dialer dialer, TimeProvider time)
{
    private readonly PathConnector _paths = new(dialer, time);

    /// <summary>
    /// Connects. The policy concerns the destination only: hops are the operator's own choice. A cancelled token counts as a
    /// time-out, since deadlines are its use here; who cancels for another reason knows.
    /// </summary>
    public ValueTask<DuplexConnection> ConnectAsync(
        ProxyChain chain, TransportAddress destination, DestinationPolicy policy, CancellationToken cancellationToken, EarlyPayload? early = null) =>
        ConnectAsync(chain, new FlightTarget(destination, TlsTrust.System, null), policy, early, cancellationToken);

    /// <summary>Connects; the target says how a destination is trusted that is TLS itself.</summary>
    public async ValueTask<DuplexConnection> ConnectAsync(
        ProxyChain chain, FlightTarget target, DestinationPolicy policy, EarlyPayload? early, CancellationToken cancellationToken)
    {
        if (chain.Count == 0) return await _paths.DialDestinationAsync(target, policy, cancellationToken).ConfigureAwait(false);
        TransportAddress destination = target.Address!;
        if (destination.Endpoint is { } endpoint ? !policy.AllowsUnresolved(endpoint) : !policy.AllowsUnixSockets)
            throw new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(destination));
        return await _paths.ConnectAsync(chain.Path, target, early, cancellationToken).ConfigureAwait(false);
    }
}
