using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound.Http;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>
/// Serves HTTP/1.1 as a proxy (docs/protocols/http.md): CONNECT makes a tunnel, requests for <c>http://</c> URIs are forwarded, and where
/// there is a protocol to carry, WebSocket connections carry it. With <paramref name="proxies"/> off, it does the last only.
/// </summary>
internal sealed class HttpInbound(InboundContext context, bool proxies, InboundProtocol? overWebSocket) : InboundProtocol(context)
{
    private const string Demand = "Proxy-Authenticate: " + HttpBasic.Challenge;

    private static readonly byte[] Established = "HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray();

    private readonly WebSocketEntrance? _entrance = overWebSocket is null ? null : new WebSocketEntrance(context, overWebSocket);

    public override string Name => proxies ? "http" : overWebSocket!.Name + "+ws";

    // an empty line may come first (RFC 9112 §2.2)
    public override bool Begins(byte first) => char.IsAsciiLetter((char)first) || first == '\r';

    public override ReadOnlyMemory<byte> TooMany(byte first) =>
        new HttpRefusal(503, "this proxy has too many connections") { Reason = ProxyErrorReason.LimitExceeded }.Write(Context.Time.GetUtcNow(), toHead: false);

    public override async Task ServeAsync(ServedConnection served, HeaderReader reader)
    {
        var requests = new HttpRequestReader(Context, served, reader, fault => HttpRefusals.RefuseAsync(Context, served, fault));
        ProxyForwarder? forwarder = null;
        try
        {
            while (await requests.ReadAsync().ConfigureAwait(false) is { Form: HttpTargetForm.Absolute } request)
            {
                await AdmitAsync(served, request).ConfigureAwait(false);
                if (request.EndsHere) throw await RefuseLastAsync(served, request).ConfigureAwait(false);
                forwarder ??= new ProxyForwarder(Context, served, reader);
                if (!await forwarder.ForwardAsync(request).ConfigureAwait(false)) return;
            }
        }
        finally
        {
            if (forwarder is not null) await forwarder.DisposeAsync().ConfigureAwait(false);
        }
        if (requests.Last is { } last) await LeaveAsync(served, reader, last).ConfigureAwait(false);
    }

    // what is not forwarded ends HTTP on this connection, one way or another
    private Task LeaveAsync(ServedConnection served, HeaderReader reader, HttpRequestHead request)
    {
        if (request.Form == HttpTargetForm.Authority) return TunnelAsync(served, reader, request);
        return _entrance is not null && request.WantsWebSocket ? _entrance.ServeAsync(served, reader, request) : RefuseOriginFormAsync(served, request);
    }

    private async Task TunnelAsync(ServedConnection served, HeaderReader reader, HttpRequestHead request)
    {
        await AdmitAsync(served, request).ConfigureAwait(false);
        reader.Dispose();
        DuplexConnection upstream = await DialAsync(served, request).ConfigureAwait(false);
        await using (upstream.ConfigureAwait(false))
        {
            await served.Client.WriteAsync(Established, served.Clock.Token).ConfigureAwait(false);
            await Context.RelayAsync(served, served.Client, upstream).ConfigureAwait(false);
        }
    }

    private async ValueTask<DuplexConnection> DialAsync(ServedConnection served, HttpRequestHead request)
    {
        try
        {
            return await Context.ConnectAsync(served, Name, new FlightTarget(TransportAddress.Tcp(request.Endpoint!), TlsTrust.System, null)).ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            await HttpRefusals.TellAsync(Context, served, HttpRefusals.For(e, Context.Options), request).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask AdmitAsync(ServedConnection served, HttpRequestHead request)
    {
        if (!proxies) throw await RefuseAsync(served, ProxyErrorReason.Unsupported, new HttpRefusal(403, "HTTP is not among the protocols that this proxy serves"), request).ConfigureAwait(false);
        if (Context.Credentials.Count == 0) return;
        bool isGiven = request.Fields.Find(HttpFieldKind.ProxyAuthorization) >= 0;
        if (isGiven && HttpBasic.TryRead(request.Fields.Only(HttpFieldKind.ProxyAuthorization), out string userName, out string password)
            && Context.Admits(userName, password)) return;
        string why = isGiven ? "the user name or password is wrong" : "a user name and password are required";
        throw await RefuseAsync(served, ProxyErrorReason.AuthenticationFailed, new HttpRefusal(407, why) { Demand = Demand }, request).ConfigureAwait(false);
    }

    private async Task RefuseOriginFormAsync(ServedConnection served, HttpRequestHead request) =>
        throw await RefuseAsync(
            served,
            ProxyErrorReason.ProtocolError,
            new HttpRefusal(400, "this is a proxy, not a web server: ask for a whole http:// URI, or with CONNECT"),
            request).ConfigureAwait(false);

    private Task<ProxyException> RefuseLastAsync(ServedConnection served, HttpRequestHead request) => RefuseAsync(
        served, ProxyErrorReason.Unsupported, new HttpRefusal(501, $"Max-Forwards is 0, and this proxy answers no {request.Method} of its own"), request);

    private Task<ProxyException> RefuseAsync(ServedConnection served, ProxyErrorReason reason, HttpRefusal refusal, HttpRequestHead request) =>
        HttpRefusals.RefuseAsync(Context, served, reason, refusal, request);
}
