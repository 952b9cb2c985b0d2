using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// UDP ASSOCIATE (RFC 1928 §7): a port for datagrams on the address that the client reached, for as long as its connection lives. The
/// destination of each datagram is checked and reached as that of a connection would be.
/// </summary>
internal sealed partial class SocksInbound
{
    private async Task AssociateAsync(ServedConnection served, SocksRequest request)
    {
        ProxyConnection record = served.Record;
        (record.Protocol, record.Destination) = ("socks5-udp", "udp");
        using DatagramAssociation association = await OpenAssociationAsync(served, request).ConfigureAwait(false);
        await ReplyAsync(served, request.Version, association.LocalEndPoint).ConfigureAwait(false);
        served.EndSetUp();
        record.State = ConnectionState.Open;
        Context.Registry.Write(ProxyEventKind.Opened, "opened", connection: record);
        await AwaitEndAsync(served).ConfigureAwait(false);
    }

    private async ValueTask<DatagramAssociation> OpenAssociationAsync(ServedConnection served, SocksRequest request)
    {
        try
        {
            if (served is not { Client.LocalEndPoint: IPEndPoint local, Record.ClientEndPoint: IPEndPoint remote })
                throw Unsupported("asks for UDP ASSOCIATE on a connection without an IP address");
            // behind address translation a client does not know its own address, and then its port means nothing either
            bool knowsItself = remote.Address.Equals(request.Address.Address);
            var client = new IPEndPoint(remote.Address, knowsItself ? request.Address.Port : 0);
            return new DatagramAssociation(Context, served.Record, local.Address, client, SocksDatagramEnvelope.Instance) { Bandwidth = served.Bandwidth };
        }
        catch (ProxyException e)
        {
            await RefuseAsync(served, request.Version, e).ConfigureAwait(false);
            throw;
        }
    }

    // the client has nothing more to say on the connection, only to end it
    private static async ValueTask AwaitEndAsync(ServedConnection served)
    {
        var ignored = new byte[64];
        try
        {
            while (await served.Client.ReadAsync(ignored, CancellationToken.None).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, e.Stage, "client", e.Detail, e) { Side = ProxySide.Client };
        }
    }
}
