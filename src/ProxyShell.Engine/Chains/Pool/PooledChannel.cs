using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Chains.Pool;

/// <summary>
/// A stream to a hop as a channel of a session. The channel is offered with the first bytes that are written, which travel as its name
/// (docs/protocols/relay.md, "Sessions"): so a request costs no round trip for the channel that brings it.
/// </summary>
internal sealed class PooledChannel(SessionLease lease, PathConnector paths, TimeProvider time, Func<ProxyException, bool, ProxyException> explain) : DuplexConnection
{
    // base64 makes four bytes of three
    private const int MaxFirst = ControlPayload.MaxName / 4 * 3;

    // an offer that has had no answer for so long makes the session suspect
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<SessionChannel> _offered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionLease _lease = lease;
    private SessionChannel? _channel;
    private long _offeredAt;
    private int _isClosed;

    /// <summary>Whether the session was there before.</summary>
    public bool IsReused => _lease.IsReused;

    public override EndPoint? LocalEndPoint => _lease.Session.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _lease.Session.RemoteEndPoint;

    internal override EpollLoop? Loop => _channel?.Loop;

    internal override void ContinueOn(EpollLoop loop) => _channel?.ContinueOn(loop);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_channel is not { } channel) return OfferAsync(buffer, cancellationToken);
        ValueTask written = channel.WriteAsync(buffer, cancellationToken);
        return written.IsCompletedSuccessfully ? written : FinishAsync(written);
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        if (_channel is null) await OfferAsync(ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        await FinishAsync(_channel!.CompleteWritesAsync(cancellationToken)).ConfigureAwait(false);
    }

    public override void Abort() => Abort(SessionFault.Of(ProxyErrorReason.ConnectionReset, "the channel was aborted"));

    public override void Abort(ProxyException why)
    {
        if (!Close(why)) return;
        _channel?.Abort(why);
        _lease.Return();
    }

    public override async ValueTask DisposeAsync()
    {
        if (!Close(SessionFault.Of(ProxyErrorReason.ConnectionReset, "the channel is closed"))) return;
        if (_channel is not null) await _channel.DisposeAsync().ConfigureAwait(false);
        _lease.Return();
    }

    public override string ToString() => _channel?.ToString() ?? $"channel to {RemoteEndPoint}";

    internal override ValueTask<int> WaitCoreAsync(IOutlet outlet) =>
        _channel is { } channel ? FinishAsync(channel.WaitAsync(outlet)) : ReadOfferedAsync(Memory<byte>.Empty, CancellationToken.None);

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_channel is not { } channel) return ReadOfferedAsync(buffer, cancellationToken);
        ValueTask<int> read = channel.ReadAsync(buffer, cancellationToken);
        return read.IsCompletedSuccessfully ? read : FinishAsync(read);
    }

    private async ValueTask<int> ReadOfferedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        SessionChannel channel = await _offered.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await FinishAsync(channel.ReadAsync(buffer, cancellationToken)).ConfigureAwait(false);
    }

    private async ValueTask OfferAsync(ReadOnlyMemory<byte> first, CancellationToken cancellationToken)
    {
        int taken = Math.Min(first.Length, MaxFirst);
        string name = Convert.ToBase64String(first.Span[..taken]);
        SessionChannel channel;
        try
        {
            channel = _lease.Session.Offer(name);
        }
        catch (ProxyException) when (_lease.Session.IsOver)
        {
            // it ended between being leased and being used, so nothing was sent yet
            _lease = await _lease.RenewAsync(paths, cancellationToken).ConfigureAwait(false);
            channel = _lease.Session.Offer(name);
        }
        (_offeredAt, _channel) = (time.GetTimestamp(), channel);
        if (Volatile.Read(ref _isClosed) != 0) channel.Abort();
        _offered.TrySetResult(channel);
        if (taken < first.Length) await FinishAsync(channel.WriteAsync(first[taken..], cancellationToken)).ConfigureAwait(false);
    }

    private bool Close(ProxyException why)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0) return false;
        if (_channel is { Acceptance.IsCompleted: false } && time.GetElapsedTime(_offeredAt) > Patience) _lease.Suspect();
        if (_offered.TrySetException(why)) _ = _offered.Task.Exception;
        return true;
    }

    private async ValueTask FinishAsync(ValueTask operation)
    {
        try
        {
            await operation.ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw explain(e, _lease.Session.IsOver);
        }
    }

    private async ValueTask<int> FinishAsync(ValueTask<int> operation)
    {
        try
        {
            return await operation.ConfigureAwait(false);
        }
        catch (ProxyException e)
        {
            throw explain(e, _lease.Session.IsOver);
        }
    }
}
