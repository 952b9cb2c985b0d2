using System.Buffers;
using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// One request passed on and its response passed back. The request's body goes its way while the response is awaited and comes: the origin
/// may answer before it has read all, and may ask for the body with 100. Failures are thrown with the side at fault.
/// </summary>
internal sealed class HttpExchange : IDisposable
{
    // body bytes that go along with a head in one write
    private const int MaxAlong = 16 * 1024;

    private readonly ServedConnection _served;
    private readonly HttpClientSide _client;
    private readonly HttpUpstream _upstream;
    private readonly HttpRequestHead _request;
    private readonly HttpTerms _terms;
    private readonly HttpAnswerClock _clock;
    private readonly HttpSending _sending;
    private HttpBodyPump? _body;
    private bool _heard;

    public HttpExchange(ServedConnection served, HttpClientSide client, HttpUpstream upstream, HttpRequestHead request, HttpTerms terms)
    {
        (_served, _client, _upstream, _request, _terms) = (served, client, upstream, request, terms);
        _clock = new HttpAnswerClock(upstream.Connection, terms.Time, terms.AnswerTimeout);
        _sending = new HttpSending(served, client, upstream, request, terms, _clock);
    }

    /// <summary>Whether the client has got any of the final response.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Whether the connection to the origin can carry another request.</summary>
    public bool UpstreamIsFree { get; private set; }

    /// <summary>The status of the final response; 0 while there is none.</summary>
    public int Status { get; private set; }

    /// <summary>When the final response began to come, as a timestamp of the clock; 0 while it has not.</summary>
    public long FirstByte { get; private set; }

    /// <summary>How many bytes of data of the request's body have passed.</summary>
    public long RequestData => _sending.Data;

    /// <summary>How many bytes of data of the response's body have passed.</summary>
    public long ResponseData => _body?.Data ?? 0;

    public void Dispose() => _clock.Dispose();

    public async Task<HttpExchangeEnd> RunAsync()
    {
        using var stop = new CancellationTokenSource();
        try
        {
            await _sending.BeginAsync(stop.Token).ConfigureAwait(false);
            return await AnswerAsync().ConfigureAwait(false);
        }
        catch (ProxyException e) when (IsStale(e))
        {
            return HttpExchangeEnd.Stale;
        }
        finally
        {
            await _sending.EndAsync(stop).ConfigureAwait(false);
        }
    }

    private bool IsStale(ProxyException e) =>
        e.Side == ProxySide.Upstream && _upstream.IsReused && !_heard && !_clock.HasRunOut && _client.Fault is null
        && _request.IsIdempotent && _request.Body.Kind == HttpBodyKind.None && _served.Record.AbortReason == ProxyErrorReason.None;

    private async Task<HttpExchangeEnd> AnswerAsync()
    {
        while (true)
        {
            HttpResponseHead response = await ReadResponseAsync().ConfigureAwait(false);
            _heard = true;
            if (!response.IsInterim) return response.Status == 101 ? await UpgradeAsync(response).ConfigureAwait(false) : await PassAsync(response).ConfigureAwait(false);
            // HTTP/1.0 knows no interim responses (RFC 9110 §15.2)
            if (_request.Minor == 1) await WriteDownAsync(response, HttpBodyKind.None, closes: false, null).ConfigureAwait(false);
            PassTurn();
        }
    }

    private async ValueTask<HttpResponseHead> ReadResponseAsync()
    {
        try
        {
            HttpResponseHead response = await HttpResponseReader.ReadAsync(_upstream.Reader, _request.Method, CancellationToken.None).ConfigureAwait(false);
            if (response.IsInterim) return response;
            _clock.Dispose();
            (Status, FirstByte) = (response.Status, _terms.Time.GetTimestamp());
            return response;
        }
        catch (ProxyException e)
        {
            _heard |= !_upstream.Reader.Bytes.IsEmpty;
            if (_clock.HasRunOut) throw UpstreamFault(ProxyErrorReason.TimedOut, string.Create(CultureInfo.InvariantCulture, $"no answer within {_clock.Limit.TotalSeconds:0.###} s"), e);
            throw UpstreamFault(e.Reason, e.Detail, e);
        }
    }

    // after an interim response it is the origin's turn again only when it has the whole request
    private void PassTurn()
    {
        _clock.Pause();
        if (_sending.IsComplete) _clock.Run();
    }

    private async Task<HttpExchangeEnd> UpgradeAsync(HttpResponseHead response)
    {
        if (!_request.WantsWebSocket || !response.Fields.Lists(HttpFieldKind.Upgrade, "websocket"u8))
            throw UpstreamFault(ProxyErrorReason.ProtocolError, "switched protocols without being asked");
        await WriteDownAsync(response, HttpBodyKind.None, closes: false, null).ConfigureAwait(false);
        return HttpExchangeEnd.Upgraded;
    }

    private async Task<HttpExchangeEnd> PassAsync(HttpResponseHead response)
    {
        bool undoChunks = _request.Minor == 0 && response.Body.Kind == HttpBodyKind.Chunked;
        HttpBodyKind kind = undoChunks ? HttpBodyKind.UntilClose : response.Body.Kind;
        bool closes = !_request.KeepsAlive || _terms.Stopping.IsCancellationRequested || kind == HttpBodyKind.UntilClose || !_sending.IsComplete;
        HttpBodyPump body = _body = new HttpBodyPump(_served, _upstream.Reader, new HttpBodyScanner(response.Body, undoChunks), TrafficDirection.Received);
        await WriteDownAsync(response, kind, closes, body).ConfigureAwait(false);
        await PassBodyAsync(body).ConfigureAwait(false);
        if (!_sending.IsComplete) return HttpExchangeEnd.CloseEarly;
        UpstreamIsFree = response.KeepsAlive && await _sending.HasArrivedAsync().ConfigureAwait(false);
        return closes ? HttpExchangeEnd.Close : HttpExchangeEnd.NextRequest;
    }

    private async ValueTask WriteDownAsync(HttpResponseHead response, HttpBodyKind kind, bool closes, HttpBodyPump? body)
    {
        int along = body is null ? 0 : Math.Min(MaxAlong, _upstream.Reader.Bytes.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(HttpRewriting.MaxLength(response) + along);
        try
        {
            int length = _terms.Rewriting.Write(buffer, response, kind, closes);
            if (body is not null) length += TakeAtHand(body, buffer.AsSpan(length, along));
            HasAnswered |= !response.IsInterim;
            await _served.Client.WriteAsync(buffer.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
            _served.Record.AddReceived(length);
            _served.Bandwidth.Charge(length, TrafficDirection.Received);
        }
        catch (ProxyException e) when (e.Side == ProxySide.None)
        {
            throw ClientFault(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private int TakeAtHand(HttpBodyPump body, Span<byte> output)
    {
        try
        {
            return body.TakeAtHand(output);
        }
        catch (ProxyException e)
        {
            throw UpstreamFault(e.Reason, e.Detail, e);
        }
    }

    private async ValueTask PassBodyAsync(HttpBodyPump body)
    {
        try
        {
            await body.RunAsync(_served.Client, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw body.IsWriting ? ClientFault(e) : UpstreamFault(e.Reason, e.Detail, e);
        }
    }

    private ProxyException UpstreamFault(ProxyErrorReason reason, string detail, Exception? inner = null) =>
        new(reason, ProxyStage.Relay, _upstream.Name, detail, inner) { Side = ProxySide.Upstream };

    private static ProxyException ClientFault(ProxyException e) => new(e.Reason, ProxyStage.Relay, "client", e.Detail, e) { Side = ProxySide.Client };
}
