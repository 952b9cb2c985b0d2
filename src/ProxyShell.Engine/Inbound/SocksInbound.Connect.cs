using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>CONNECT (RFC 1928 §4 and §6): answered when the path to the destination is up.</summary>
internal sealed partial class SocksInbound
{
    private async Task ConnectAsync(ServedConnection served, SocksRequest request)
    {
        if (request.Address.Port == 0) await RefuseAsync(served, request.Version, SocksReplyCode.GeneralFailure, "asks for port 0").ConfigureAwait(false);
        DuplexConnection upstream = await DialAsync(served, request).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            // through a chain the address at which the destination sees us is not known
            var bound = served.Record.Chain == "direct" ? upstream.LocalEndPoint as IPEndPoint : null;
            await ReplyAsync(served, request.Version, bound).ConfigureAwait(false);
            await Context.RelayAsync(served, served.Client, upstream).ConfigureAwait(false);
        }
    }

    private async ValueTask<DuplexConnection> DialAsync(ServedConnection served, SocksRequest request)
    {
        try
        {
            var target = new FlightTarget(TransportAddress.Tcp(request.Address), TlsTrust.System, null);
            return await Context.ConnectAsync(served, NameOf(request.Version), target).ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            await Context.TellAsync(served, Reply(request.Version, CodeOf(e.Reason), null)).ConfigureAwait(false);
            throw;
        }
    }
}
