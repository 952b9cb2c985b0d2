using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// Passes the requests of one client on, one after another and so in order however many it has sent ahead. Where they go, and what becomes
/// of the connection there, is up to the derived class.
/// </summary>
internal abstract class HttpForwarder(ServiceContext context, ServedConnection served, HeaderReader reader) : IAsyncDisposable
{
    private readonly HttpClientSide _client = new(reader);

    protected ServedConnection Served => served;

    /// <summary>Passes a request on; false when no other one can follow.</summary>
    public async Task<bool> ForwardAsync(HttpRequestHead request)
    {
        HttpExchangeEnd end;
        do
        {
            if (await ReachAsync(request).ConfigureAwait(false) is not { } upstream) return !served.WasTold;
            end = await ExchangeAsync(upstream, request).ConfigureAwait(false);
        }
        while (end == HttpExchangeEnd.Stale);
        if (end == HttpExchangeEnd.CloseEarly) await LingerAsync().ConfigureAwait(false);
        return end == HttpExchangeEnd.NextRequest;
    }

    public virtual ValueTask DisposeAsync() => _client.EndWatchAsync();

    /// <summary>
    /// Gets the connection to the origin of a request. Null when there is none and the client was answered so; a failure is thrown after the
    /// client was told.
    /// </summary>
    protected abstract ValueTask<HttpUpstream?> ReachAsync(HttpRequestHead request);

    /// <summary>On which terms the request is passed on.</summary>
    protected abstract HttpTerms TermsFor(HttpRequestHead request);

    /// <summary>Keeps a connection that can carry another request, or closes it.</summary>
    protected abstract ValueTask LeaveAsync(HttpUpstream upstream, bool canServeMore);

    /// <summary>What to tell the client of a failure before the response; null for nothing.</summary>
    protected abstract HttpRefusal? RefusalFor(ProxyException cause);

    /// <summary>An exchange has ended, however it did.</summary>
    protected virtual void Note(HttpExchange exchange)
    {
        // for those who keep books
    }

    /// <summary>Tells a client, after which the connection is closed.</summary>
    protected async Task TellAsync(HttpRefusal refusal, HttpRequestHead request)
    {
        await _client.EndWatchAsync().ConfigureAwait(false);
        await HttpRefusals.TellAsync(context, served, refusal, request).ConfigureAwait(false);
    }

    /// <summary>Answers a request of which no byte was passed on; false when no other one can follow.</summary>
    protected async ValueTask<bool> AnswerAsync(HttpRefusal refusal, HttpRequestHead request)
    {
        if (refusal.Closes)
        {
            await TellAsync(refusal, request).ConfigureAwait(false);
            return false;
        }
        try
        {
            using var limit = new CancellationTokenSource(context.Options.HandshakeTimeout, context.Time);
            await served.Client.WriteAsync(refusal.Write(context.Time.GetUtcNow(), toHead: request.Method == "HEAD"), limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            served.Client.Abort();
            return false;
        }
    }

    private async Task<HttpExchangeEnd> ExchangeAsync(HttpUpstream upstream, HttpRequestHead request)
    {
        using var exchange = new HttpExchange(served, _client, upstream, request, TermsFor(request));
        try
        {
            HttpExchangeEnd end = await RunAsync(exchange, upstream, request).ConfigureAwait(false);
            if (end == HttpExchangeEnd.Upgraded) await RelayAsync(upstream).ConfigureAwait(false);
            return end;
        }
        finally
        {
            Note(exchange);
        }
    }

    private async Task<HttpExchangeEnd> RunAsync(HttpExchange exchange, HttpUpstream upstream, HttpRequestHead request)
    {
        var end = HttpExchangeEnd.Close;
        try
        {
            return end = await exchange.RunAsync().ConfigureAwait(false);
        }
        catch (ProxyException e) when (served.Record.AbortReason == ProxyErrorReason.None)
        {
            upstream.Connection.Abort();
            ProxyException cause = _client.Fault ?? e;
            if (!exchange.HasAnswered) await ExplainAsync(cause, request).ConfigureAwait(false);
            if (ReferenceEquals(cause, e)) throw;
            throw cause;
        }
        finally
        {
            bool isClean = _client.TryRelease();
            if (end != HttpExchangeEnd.Upgraded) await LeaveAsync(upstream, isClean && exchange.UpstreamIsFree).ConfigureAwait(false);
        }
    }

    private async ValueTask ExplainAsync(ProxyException cause, HttpRequestHead request)
    {
        served.WasRefused = cause.Side == ProxySide.Client;
        if (RefusalFor(cause) is { } refusal) await TellAsync(refusal, request).ConfigureAwait(false);
    }

    private async ValueTask LingerAsync()
    {
        await _client.EndWatchAsync().ConfigureAwait(false);
        await LingeringClose.RunAsync(served.Client, context.Time).ConfigureAwait(false);
    }

    // both sides have said all they had to say in HTTP
    private async Task RelayAsync(HttpUpstream upstream)
    {
        await _client.EndWatchAsync().ConfigureAwait(false);
        reader.Dispose();
        upstream.Reader.Dispose();
        await context.RelayAsync(served, served.Client, upstream.Connection).ConfigureAwait(false);
    }
}
