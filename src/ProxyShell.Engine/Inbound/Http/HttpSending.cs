using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// A request on its way to the origin: the head, with what is at hand of the body, then the rest of the body while the response is awaited
/// and comes. What goes wrong on the client's side is noted there; an origin that no longer listens says why in its response.
/// </summary>
internal sealed class HttpSending(
    ServedConnection served, HttpClientSide client, HttpUpstream upstream, HttpRequestHead request, HttpTerms terms, HttpAnswerClock clock)
{
    // body bytes that go along with a head in one write
    private const int MaxAlong = 16 * 1024;

    private static readonly TimeSpan MaxArrears = TimeSpan.FromSeconds(1);

    private readonly HttpBodyPump _body = new(served, client.Reader, new HttpBodyScanner(request.Body), TrafficDirection.Sent) { MaxData = terms.MaxBody, Clock = clock };
    private Task _sending = Task.CompletedTask;

    /// <summary>Whether the client has sent its whole body.</summary>
    public bool IsComplete => _body.IsComplete;

    /// <summary>How many bytes of data of the body have passed.</summary>
    public long Data => _body.Data;

    /// <summary>Sends the head, and begins to send the body.</summary>
    public async ValueTask BeginAsync(CancellationToken stop)
    {
        await SendHeadAsync().ConfigureAwait(false);
        if (_body.IsComplete)
        {
            client.Watch(upstream.Connection);
            return;
        }
        // it is the client's turn, unless it waits to be told to go on
        if (!request.ExpectsContinue) clock.Pause();
        _sending = SendBodyAsync(stop);
    }

    /// <summary>
    /// Whether the origin has taken all. One that keeps its connection reads the whole request (RFC 9112 §9.3), so that its response can
    /// only be a moment ahead of our last write's end.
    /// </summary>
    public async ValueTask<bool> HasArrivedAsync()
    {
        if (_sending.IsCompleted) return true;
        try
        {
            await _sending.WaitAsync(MaxArrears, terms.Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Ends the sending, and with it the connection to the origin when something is still under way.</summary>
    public async ValueTask EndAsync(CancellationTokenSource stop)
    {
        if (!_sending.IsCompleted)
        {
            upstream.Connection.Abort();
            await stop.CancelAsync().ConfigureAwait(false);
        }
        await _sending.ConfigureAwait(false);
    }

    private async ValueTask SendHeadAsync()
    {
        int along = request.Body.Kind == HttpBodyKind.None ? 0 : Math.Min(MaxAlong, client.Reader.Bytes.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(terms.Rewriting.MaxLength(request) + along);
        try
        {
            int length = terms.Rewriting.Write(buffer, request);
            length += _body.TakeAtHand(buffer.AsSpan(length, along));
            clock.Run();
            await WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            client.Blame(e, upstream.Connection);
            throw client.Fault!;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // an origin that no longer listens may have answered: its response, or its absence, says what to make of it
    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await upstream.Connection.WriteAsync(bytes, CancellationToken.None).ConfigureAwait(false);
            served.Record.AddSent(bytes.Length);
            served.Bandwidth.Charge(bytes.Length, TrafficDirection.Sent);
        }
        catch (ProxyException)
        {
            // see above
        }
    }

    private async Task SendBodyAsync(CancellationToken stop)
    {
        try
        {
            await _body.RunAsync(upstream.Connection, stop).ConfigureAwait(false);
            clock.Run();
            client.Watch(upstream.Connection);
        }
        catch (OperationCanceledException)
        {
            // the response is through, and the rest of the body concerns nobody
        }
        catch (ProxyException) when (_body.IsWriting)
        {
            // as with the head
        }
        catch (ProxyException e)
        {
            client.Blame(e, upstream.Connection);
        }
    }
}
