using System.Buffers;
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
internal sealed class HttpExchange(ServedConnection served, HttpClientSide client, HttpUpstream upstream, HttpRequestHead request, TimeProvider time)
{
    // body bytes that go along with a head in one write
    private const int MaxAlong = 16 * 1024;

    private readonly HttpSending _sending = new(served, client, upstream, request);
    private bool _heard;

    /// <summary>Whether the client has got any of the final response.</summary>
    public bool HasAnswered { get; private set; }

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
        e.Side == ProxySide.Upstream && upstream.IsReused && !_heard && client.Fault is null
        && request.IsIdempotent && request.Body.Kind == HttpBodyKind.None && served.Record.AbortReason == ProxyErrorReason.None;

    private async Task<HttpExchangeEnd> AnswerAsync()
    {
        while (true)
        {
            HttpResponseHead response = await ReadResponseAsync().ConfigureAwait(false);
            _heard = true;
            if (!response.IsInterim) return response.Status == 101 ? await UpgradeAsync(response).ConfigureAwait(false) : await PassAsync(response).ConfigureAwait(false);
            // HTTP/1.0 knows no interim responses (RFC 9110 §15.2)
            if (request.Minor == 1) await WriteDownAsync(response, HttpBodyKind.None, closes: false, null).ConfigureAwait(false);
        }
    }

    private async ValueTask<HttpResponseHead> ReadResponseAsync()
    {
        try
        {
            return await HttpResponseReader.ReadAsync(upstream.Reader, request.Method, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            _heard |= !upstream.Reader.Bytes.IsEmpty;
            throw UpstreamFault(e.Reason, e.Detail, e);
        }
    }

    private async Task<HttpExchangeEnd> UpgradeAsync(HttpResponseHead response)
    {
        if (!request.WantsWebSocket || !response.Fields.Lists(HttpFieldKind.Upgrade, "websocket"u8))
            throw UpstreamFault(ProxyErrorReason.ProtocolError, "switched protocols without being asked");
        await WriteDownAsync(response, HttpBodyKind.None, closes: false, null).ConfigureAwait(false);
        return HttpExchangeEnd.Upgraded;
    }

    private async Task<HttpExchangeEnd> PassAsync(HttpResponseHead response)
    {
        bool undoChunks = request.Minor == 0 && response.Body.Kind == HttpBodyKind.Chunked;
        HttpBodyKind kind = undoChunks ? HttpBodyKind.UntilClose : response.Body.Kind;
        bool closes = !request.KeepsAlive || kind == HttpBodyKind.UntilClose || !_sending.IsComplete;
        var body = new HttpBodyPump(served, upstream.Reader, new HttpBodyScanner(response.Body, undoChunks), TrafficDirection.Received);
        await WriteDownAsync(response, kind, closes, body).ConfigureAwait(false);
        await PassBodyAsync(body).ConfigureAwait(false);
        if (!_sending.IsComplete) return HttpExchangeEnd.CloseEarly;
        if (closes) return HttpExchangeEnd.Close;
        return response.KeepsAlive && await _sending.HasArrivedAsync(time).ConfigureAwait(false) && upstream.TryRest() ? HttpExchangeEnd.NextRequest : HttpExchangeEnd.NextOrigin;
    }

    private async ValueTask WriteDownAsync(HttpResponseHead response, HttpBodyKind kind, bool closes, HttpBodyPump? body)
    {
        int along = body is null ? 0 : Math.Min(MaxAlong, upstream.Reader.Bytes.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(HttpForwarding.MaxLength(response) + along);
        try
        {
            int length = HttpForwarding.Write(buffer, response, kind, closes);
            if (body is not null) length += TakeAtHand(body, buffer.AsSpan(length, along));
            HasAnswered |= !response.IsInterim;
            await served.Client.WriteAsync(buffer.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
            served.Record.AddReceived(length);
            served.Bandwidth.Charge(length, TrafficDirection.Received);
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
            await body.RunAsync(served.Client, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw body.IsWriting ? ClientFault(e) : UpstreamFault(e.Reason, e.Detail, e);
        }
    }

    private ProxyException UpstreamFault(ProxyErrorReason reason, string detail, Exception? inner = null) =>
        new(reason, ProxyStage.Relay, $"destination {upstream.Endpoint}", detail, inner) { Side = ProxySide.Upstream };

    private static ProxyException ClientFault(ProxyException e) => new(e.Reason, ProxyStage.Relay, "client", e.Detail, e) { Side = ProxySide.Client };
}
