using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// Forwards the requests of one client, one after another and so in order however many it has sent ahead. The connection to an origin is
/// kept as long as the requests go there.
/// </summary>
internal sealed class HttpForwarder(InboundContext context, ServedConnection served, HeaderReader reader) : IAsyncDisposable
{
    private readonly HttpClientSide _client = new(reader);
    private HttpUpstream? _upstream;

    /// <summary>Forwards a request in absolute form; false when no other one can follow.</summary>
    public async Task<bool> ForwardAsync(HttpRequestHead request)
    {
        HttpExchangeEnd end;
        do
        {
            HttpUpstream upstream = await ReachAsync(request).ConfigureAwait(false);
            end = await ExchangeAsync(upstream, request).ConfigureAwait(false);
            if (end is not (HttpExchangeEnd.NextRequest or HttpExchangeEnd.Upgraded)) await LeaveAsync().ConfigureAwait(false);
        }
        while (end == HttpExchangeEnd.Stale);
        if (end == HttpExchangeEnd.Upgraded) await RelayAsync().ConfigureAwait(false);
        if (end == HttpExchangeEnd.CloseEarly) await LingerAsync().ConfigureAwait(false);
        return end is HttpExchangeEnd.NextRequest or HttpExchangeEnd.NextOrigin;
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync().ConfigureAwait(false);
        await _client.EndWatchAsync().ConfigureAwait(false);
    }

    private async ValueTask<HttpUpstream> ReachAsync(HttpRequestHead request)
    {
        HostEndpoint endpoint = request.Endpoint!;
        if (_upstream is { } open && open.Endpoint == endpoint && open.TryWake()) return open;
        await LeaveAsync().ConfigureAwait(false);
        try
        {
            var target = new FlightTarget(TransportAddress.Tcp(endpoint), TlsTrust.System, null);
            DuplexConnection connection = await context.ConnectAsync(served, "http", target).ConfigureAwait(false);
            served.Clock.Allow(Timeout.InfiniteTimeSpan);
            context.NoteOpen(served);
            return _upstream = new HttpUpstream(connection, endpoint);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            await TellAsync(HttpRefusals.For(e, context.Options), request).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<HttpExchangeEnd> ExchangeAsync(HttpUpstream upstream, HttpRequestHead request)
    {
        var exchange = new HttpExchange(served, _client, upstream, request, context.Time);
        try
        {
            return await exchange.RunAsync().ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            upstream.Connection.Abort();
            ProxyException cause = _client.Fault ?? e;
            if (!exchange.HasAnswered) await ExplainAsync(cause, request).ConfigureAwait(false);
            if (ReferenceEquals(cause, e)) throw;
            throw cause;
        }
    }

    private async Task ExplainAsync(ProxyException cause, HttpRequestHead request)
    {
        bool isClients = cause.Side == ProxySide.Client;
        served.WasRefused = isClients;
        if (isClients && cause.Reason is not (ProxyErrorReason.ProtocolError or ProxyErrorReason.ConnectionClosed)) return;
        HttpRefusal refusal = isClients ? new HttpRefusal(400, cause.Detail) : HttpRefusals.For(cause, context.Options);
        await TellAsync(refusal, request).ConfigureAwait(false);
    }

    private async Task TellAsync(HttpRefusal refusal, HttpRequestHead request)
    {
        await _client.EndWatchAsync().ConfigureAwait(false);
        await HttpRefusals.TellAsync(context, served, refusal, request).ConfigureAwait(false);
    }

    private async ValueTask LingerAsync()
    {
        await _client.EndWatchAsync().ConfigureAwait(false);
        await LingeringClose.RunAsync(served.Client, context.Time).ConfigureAwait(false);
    }

    // both sides have said all they had to say in HTTP
    private async Task RelayAsync()
    {
        HttpUpstream upstream = _upstream!;
        _upstream = null;
        await _client.EndWatchAsync().ConfigureAwait(false);
        reader.Dispose();
        upstream.Reader.Dispose();
        await context.RelayAsync(served, served.Client, upstream.Connection).ConfigureAwait(false);
    }

    private async ValueTask LeaveAsync()
    {
        if (_upstream is not { } upstream) return;
        _upstream = null;
        await upstream.DisposeAsync().ConfigureAwait(false);
    }
}
