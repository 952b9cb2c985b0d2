using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>A path whose datagrams travel as messages in a stream to the far end, which sends them on.</summary>
internal sealed class MessageDatagramPath : DatagramPath
{
    // how long an orderly end may take
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private readonly DuplexConnection _connection;
    private readonly MessageStream _stream;
    private readonly DatagramFlow _flow;
    private readonly string _peer;
    private readonly Task _receiving;
    private int _ended;

    /// <summary>Takes the stream over; answers longer than <paramref name="limit"/> are dropped and noted.</summary>
    public MessageDatagramPath(DuplexConnection connection, DatagramFlow flow, string peer, int limit, OversizeLog oversize)
    {
        (_connection, _flow, _peer) = (connection, flow, peer);
        _stream = new MessageStream(connection);
        _receiving = ReceiveAsync(limit, length => oversize.Note(length, limit, flow.Record));
    }

    public override int MaxPayload => MessageFrame.MaxLength;

    public override bool Send(ReadOnlySpan<byte> payload) => _stream.Send(payload);

    // ends with the stream, at the latest when the time for it is over
    public override void Abort() => _ = CloseAsync();

    private async Task ReceiveAsync(int limit, Action<int> dropped)
    {
        ProxyException failure;
        try
        {
            await _stream.ReceiveAsync(_flow, limit, dropped).ConfigureAwait(false);
            failure = new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, _peer, "ended the flow") { Side = ProxySide.Upstream };
        }
        catch (ProxyException e)
        {
            failure = new ProxyException(e.Reason, ProxyStage.Relay, _peer, e.Detail, e) { Side = ProxySide.Upstream };
        }
        catch (Exception e)
        {
            failure = new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e);
        }
        // what comes of an end that was asked for is no failure
        if (Volatile.Read(ref _ended) == 0) _flow.OnFailed(failure);
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        try
        {
            using var limit = new CancellationTokenSource(EndLimit);
            await _stream.EndAsync(limit.Token).ConfigureAwait(false);
            await _receiving.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            _connection.Abort();
        }
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}
