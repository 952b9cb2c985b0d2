using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Routing;

/// <summary>The way out for datagrams.</summary>
internal sealed partial class Outbound
{
    /// <summary>
    /// Opens the way of one flow of datagrams, chosen as for connections, and notes on the record which chain was taken. What comes back,
    /// and a failure after the set-up, is told to the sink. The sockets of the way are served where <paramref name="beside"/> is.
    /// </summary>
    public ValueTask<DatagramPath> OpenDatagramsAsync(
        ProxyConnection record, HostEndpoint destination, IDatagramSink sink, DatagramSocket? beside, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        Route route = Choose(destination);
        record.Chain = route.Chain.ToString();
        var request = new ChainRequest(route.Chain, new FlightTarget(TransportAddress.Udp(destination), TlsTrust.System, null), route.Policy)
        {
            TimeLimit = timeLimit,
            Trying = Note(route.Chain, record),
        };
        return connector.OpenDatagramsAsync(request, sink, beside, cancellationToken);
    }
}
