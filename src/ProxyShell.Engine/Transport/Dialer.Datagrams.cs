using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Transport;

/// <summary>Sockets for datagrams to one address.</summary>
internal sealed partial class Dialer
{
    /// <summary>
    /// Makes a datagram socket that is connected to the endpoint. UDP answers nothing, so of several addresses the first is taken to
    /// which there is a route.
    /// </summary>
    public ValueTask<DatagramSocket> DialDatagramsAsync(HostEndpoint endpoint, DestinationPolicy policy, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        if (endpoint.Address is not { } literal) return DialDatagramsByNameAsync(endpoint, policy, beside, cancellationToken);
        if (!policy.Allows(endpoint, literal)) throw Forbidden(policy.Objection(endpoint, literal));
        return new ValueTask<DatagramSocket>(sockets.ConnectDatagrams(new IPEndPoint(literal, endpoint.Port), beside));
    }

    private async ValueTask<DatagramSocket> DialDatagramsByNameAsync(HostEndpoint endpoint, DestinationPolicy policy, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        IPAddress[] resolved = await names.ResolveAsync(endpoint, cancellationToken).ConfigureAwait(false);
        IPAddress[] addresses = policy.Filter(endpoint, resolved);
        if (addresses.Length == 0) throw Forbidden(policy.Objection(endpoint, resolved[0]));
        ProxyException? firstFailure = null;
        foreach (IPAddress address in addresses)
        {
            try
            {
                return sockets.ConnectDatagrams(new IPEndPoint(address, endpoint.Port), beside);
            }
            catch (ProxyException e)
            {
                firstFailure ??= e;
            }
        }
        throw firstFailure!;
    }
}
