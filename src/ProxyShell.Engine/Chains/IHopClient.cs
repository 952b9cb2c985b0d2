using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Speaks with one kind of hop that takes one request at a time. Failures are <see cref="Diagnostics.ProxyException"/>s without a
/// subject: stages Request and Policy (or none) blame the hop itself, the others what it was asked to reach.
/// </summary>
internal interface IHopClient
{
    /// <summary>
    /// Asks the hop at the other end of <paramref name="connection"/> to connect to <paramref name="next"/>; from then on the returned
    /// connection (as a rule the same one) leads there. Bytes read too early are put back. Does not close the connection on failure.
    /// </summary>
    ValueTask<DuplexConnection> ConnectAsync(DuplexConnection connection, ProxyHop hop, HostEndpoint next, CancellationToken cancellationToken);
}
