using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>A path whose datagrams travel in a stream through hops of any kind to the last one, a relay hop, which sends them on.</summary>
internal sealed class StreamDatagramPath : DatagramPath
{
    // how long an orderly end may take
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private readonly DuplexConnection _connection;
    private readonly DatagramStream _stream;
    private readonly ChainPath _path;
    private readonly TransportAddress _target;
    private readonly IDatagramSink _sink;
    private readonly TimeProvider _time;
    private readonly Task _receiving;
    private int _ended;

    /// <summary>Takes the connection over, which leads through all hops.</summary>
    public StreamDatagramPath(DuplexConnection connection, ChainPath path, TransportAddress target, IDatagramSink sink, TimeProvider time)
    {
        (_connection, _path, _target, _sink, _time) = (connection, path, target, sink, time);
        _stream = new DatagramStream(connection);
        _receiving = ReceiveAsync();
    }

    public override int MaxPayload => DatagramFrame.MaxLength;

    private int LastHop => _path.Hops.Count - 1;

    public override bool Send(ReadOnlySpan<byte> payload) => _stream.Send(payload);

    // ends with the connection, at the latest when the time for it is over
    public override void Abort() => _ = CloseAsync();

    private async Task ReceiveAsync()
    {
        ProxyException failure;
        try
        {
            failure = await _stream.ReceiveAsync(_sink).ConfigureAwait(false) is { } reason
                ? _path.Refusal(LastHop, reason.Reason, reason.Stage, reason.Message.Length > 0 ? reason.Message : ProxyErrorText.Describe(reason.Reason), _target)
                : _path.Fault(LastHop, ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, "ended the flow");
        }
        catch (ProxyException e)
        {
            failure = RelayFailure.On(ProxySide.Upstream, e);
        }
        catch (Exception e)
        {
            failure = new ProxyException(ProxyErrorReason.Other, ProxyStage.None, "internal error", e.ToString(), e);
        }
        // what comes of an end that was asked for is no failure
        if (Volatile.Read(ref _ended) == 0) _sink.OnFailed(failure);
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        try
        {
            using var limit = new CancellationTokenSource(EndLimit, _time);
            await _stream.EndAsync(default, limit.Token).ConfigureAwait(false);
            await _receiving.WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            _connection.Abort();
        }
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}
