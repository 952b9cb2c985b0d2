using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
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
        ProxyConnection record, HostEndpoint destination, IDatagramSink sink, DatagramSocket? beside, CancellationToken cancellationToken)
    {
        Route route = Choose(destination);
        record.Chain = route.Chain.ToString();
        return connector.OpenDatagramsAsync(route.Chain, destination, route.Policy, sink, beside, Note(route.Chain, record), cancellationToken);
    }
}
