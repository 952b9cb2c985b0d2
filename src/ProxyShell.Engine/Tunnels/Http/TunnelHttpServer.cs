using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>Serves HTTP/1.1 to the public: each request goes to the tunnel whose name its Host gives (docs/tunnels-http.md).</summary>
internal sealed class TunnelHttpServer(TunnelHttpContext context) : IClientServer
{
    public async Task ServeAsync(ServedConnection served)
    {
        served.Record.Protocol = context.Scheme;
        using var reader = new HeaderReader(served.Client, HttpHead.MaxLength);
        var requests = new HttpRequestReader(context, served, reader, fault => RefuseAsync(served, fault)) 
        {
            Role = HttpRole.Gateway,
            KeepAliveTimeout = context.Http.KeepAliveTimeout,
            Stopping = context.Shared.Stopping,
        };
        var forwarder = new TunnelForwarder(context, served, reader);
        await using (forwarder.ConfigureAwait(false))
        {
            while (await requests.ReadAsync().ConfigureAwait(false) is { } request)
            {
                if (!await forwarder.ServeAsync(request).ConfigureAwait(false)) return;
            }
        }
    }

    public ValueTask TurnAwayAsync(DuplexConnection connection) =>
        LingeringClose.RunAsync(connection, context.Time, _ => TunnelRefusals.TooManyConnections.Write(context.Time.GetUtcNow(), toHead: false));

    private async Task<ProxyException> RefuseAsync(ServedConnection served, HttpFault fault)
    {
        HttpRefusal refusal = TunnelRefusals.Bad(fault);
        var record = new HttpRequestRecord
        {
            Time = context.Time.GetUtcNow(),
            Client = RequestNotes.ClientOf(served),
            Scheme = context.Scheme,
            Method = "",
            Host = "",
            Path = "",
            Status = refusal.Status,
            Reason = refusal.Token!,
        };
        context.Write(record, served.Record);
        return await HttpRefusals.RefuseAsync(context, served, HttpRefusals.ReasonOf(fault), refusal, null).ConfigureAwait(false);
    }
}
