using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Serves the clients of a near end: a stream to the far end for each.</summary>
internal sealed class PipeForwarder(ServiceContext context, IStreamOpener opener, string peer) : IClientServer
{
    public async Task ServeAsync(ServedConnection served)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination, record.State) = ("tcp", peer, ConnectionState.Connecting);
        served.Clock.Allow(context.Options.ConnectTimeout);
        var opening = new StreamOpening(StreamKind.Bytes, served.Addresses.Source as IPEndPoint) { Record = record };
        DuplexConnection stream = await opener.OpenAsync(opening, served.Clock.Token).ConfigureAwait(false);
        record.AttachUpstream(stream);
        await context.RelayAsync(served, served.Client, stream).ConfigureAwait(false);
    }

    public ValueTask TurnAwayAsync(DuplexConnection connection)
    {
        connection.Abort();
        return connection.DisposeAsync();
    }
}
