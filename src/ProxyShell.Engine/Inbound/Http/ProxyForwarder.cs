using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>Forwards requests in absolute form. The connection to an origin is kept as long as the client's requests go there.</summary>
internal sealed class ProxyForwarder(InboundContext context, ServedConnection served, HeaderReader reader) : HttpForwarder(context, served, reader)
{
    private readonly HttpTerms _terms = new(HttpForwarding.Instance, context.Time);
    private HttpUpstream? _kept;
    private HostEndpoint? _origin;

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override async ValueTask<HttpUpstream?> ReachAsync(HttpRequestHead request)
    {
        HostEndpoint endpoint = request.Endpoint!;
        if (_kept is { } open && _origin == endpoint && open.TryWake())
        {
            _kept = null;
            return open;
        }
        await CloseAsync().ConfigureAwait(false);
        try
        {
            var target = new FlightTarget(TransportAddress.Tcp(endpoint), TlsTrust.System, null);
            DuplexConnection connection = await context.ConnectAsync(Served, "http", target).ConfigureAwait(false);
            Served.Clock.Allow(Timeout.InfiniteTimeSpan);
            context.NoteOpen(Served);
            _origin = endpoint;
            return new HttpUpstream(connection, $"destination {endpoint}");
        }
        catch (ProxyException e) when (Served.Record.AbortReason == ProxyErrorReason.None)
        {
            await TellAsync(HttpRefusals.For(e, context.Options), request).ConfigureAwait(false);
            throw;
        }
    }

    protected override HttpTerms TermsFor(HttpRequestHead request) => _terms;

    protected override ValueTask LeaveAsync(HttpUpstream upstream, bool canServeMore)
    {
        if (!canServeMore || !upstream.TryRest()) return upstream.DisposeAsync();
        _kept = upstream;
        return ValueTask.CompletedTask;
    }

    protected override HttpRefusal? RefusalFor(ProxyException cause) => cause switch
    {
        { Side: not ProxySide.Client } => HttpRefusals.For(cause, context.Options),
        { Reason: ProxyErrorReason.ProtocolError or ProxyErrorReason.ConnectionClosed } => new HttpRefusal(400, cause.Detail),
        _ => null,
    };

    private ValueTask CloseAsync()
    {
        HttpUpstream? kept = _kept;
        _kept = null;
        return kept?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
