using System.Net;
using System.Net.WebSockets;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// A stream of bytes in the binary messages of a WebSocket (RFC 6455 §5); where one message ends and the next begins means nothing. A close
/// frame ends its direction only: the other one lives on until its own. A stream that ends without one was cut off.
/// </summary>
internal sealed class WebSocketConnection : DuplexConnection
{
    // for the close frame of a connection that is given up: a peer that does not read must not hold it
    private static readonly TimeSpan LastFrameTime = TimeSpan.FromSeconds(1);

    private readonly DuplexConnection _inner;
    private readonly WebSocket _socket;
    private Task<ValueWebSocketReceiveResult>? _waiting;
    private bool _readEnded;
    private bool _writeEnded;
    private int _closed;

    public WebSocketConnection(DuplexConnection inner, bool isServer)
    {
        _inner = inner;
        var options = new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = Timeout.InfiniteTimeSpan };
        _socket = WebSocket.CreateFromStream(new DuplexStream(inner), options);
    }

    public override EndPoint? LocalEndPoint => _inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _inner.RemoteEndPoint;

    internal override byte[]? ServerCertificateHash => _inner.ServerCertificateHash;

    internal override void ExpectBulk() => _inner.ExpectBulk();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.IsEmpty) return;
        try
        {
            await _socket.SendAsync(buffer, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            throw Fault(e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            _writeEnded = true;
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            throw Fault(e);
        }
    }

    public override void Abort()
    {
        Interlocked.Exchange(ref _closed, 1);
        _inner.Abort();
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0 && !_writeEnded) await SendCloseFrameAsync().ConfigureAwait(false);
        await _inner.DisposeAsync().ConfigureAwait(false);
        _socket.Dispose();
    }

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (!_readEnded)
            {
                await WaitAsync(cancellationToken).ConfigureAwait(false);
                if (buffer.IsEmpty || _readEnded) return 0;
                // never cancelled: what a frame has begun, its sender ends at once
                ValueWebSocketReceiveResult result = await _socket.ReceiveAsync(buffer, CancellationToken.None).ConfigureAwait(false);
                _readEnded = result.MessageType == WebSocketMessageType.Close;
                if (result.Count > 0) return result.Count;
            }
            return 0;
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            throw Fault(e);
        }
    }

    // A cancelled receive would end the whole WebSocket. So the wait for a frame goes on when its reader gives up, and the next read finds it.
    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        _waiting ??= _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
        try
        {
            ValueWebSocketReceiveResult result = await _waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
            (_waiting, _readEnded) = (null, result.MessageType == WebSocketMessageType.Close);
        }
        catch (OperationCanceledException)
        {
            _ = _waiting!.ContinueWith(static left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }

    private async ValueTask SendCloseFrameAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(LastFrameTime);
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException || IsFault(e, CancellationToken.None))
        {
            // the peer sees the connection break off instead
        }
    }

    // once one direction has failed, the other one's calls are "cancelled", without anybody having asked for it
    private static bool IsFault(Exception e, CancellationToken asked) =>
        e is WebSocketException or IOException or InvalidOperationException || (e is OperationCanceledException && !asked.IsCancellationRequested);

    private static ProxyException Fault(Exception e) => e.InnerException as ProxyException
        ?? new ProxyException(ProxyErrorReason.ConnectionReset, ProxyStage.Relay, null, "the WebSocket connection broke: " + Words(e), e);

    private static string Words(Exception e) => e is WebSocketException { WebSocketErrorCode: WebSocketError.ConnectionClosedPrematurely }
        ? "it ended without a close frame" : e is OperationCanceledException ? "it was aborted" : e.Message;
}
