using System.Runtime.InteropServices;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Sessions;

/// <summary>The loop that reads frames.</summary>
public sealed partial class MultiplexedSession
{
    private readonly List<ReceiveQueue> _woken = [];
    private readonly List<(ReceiveQueue Queue, ArraySegment<byte> Part)> _held = [];
    private readonly List<ArraySegment<byte>> _parts = [];

    private async Task ReceiveAsync()
    {
        try
        {
            await ReadFramesAsync().ConfigureAwait(false);
            End(SessionFault.Of(ProxyErrorReason.ConnectionClosed, "the peer closed the session"), isOrderly: true);
        }
        catch (Exception e)
        {
            End(e as ProxyException ?? SessionFault.Of(ProxyErrorReason.Other, e.Message));
        }
        _reader.Dispose();
        await CloseConnectionAsync().ConfigureAwait(false);
    }

    private async ValueTask ReadFramesAsync()
    {
        LoopShare share = default;
        while (true)
        {
            SessionChannel? full = TakeFrames();
            if (full is not null)
            {
                // version 1 has no other way to slow the peer down
                _keepAlive.Pause();
                Outbox.Wake(little: true);
                await full.Incoming.RoomAsync(_options.Window).ConfigureAwait(false);
                _keepAlive.NoteLife();
                continue;
            }
            Outbox.Wake(little: true);
            // a buffer that was filled is kept: more is likely to wait
            if (!_reader.WasFilled) _reader.Rest();
            if (Loop is not null && share.IsUsedUp)
            {
                await new LoopTurn(Loop);
                share.Renew();
            }
            ValueTask<bool> read = _reader.ReadMoreAsync(CancellationToken.None);
            if (!read.IsCompleted) share.Renew();
            if (!await read.ConfigureAwait(false)) break;
            share.Use(_reader.Bytes.Length);
            _keepAlive.NoteLife();
        }
        if (!_reader.Bytes.IsEmpty) throw SessionFault.Of(ProxyErrorReason.ConnectionClosed, "the peer closed the connection within a frame");
    }

    // all whole frames; stops early at a channel that can take no more for now
    private SessionChannel? TakeFrames()
    {
        Outbox.Hold();
        try
        {
            while (true)
            {
                HeaderStatus status = _codec.Read(_reader.Bytes, out Frame frame, out string fault);
                if (status == HeaderStatus.Invalid) throw SessionFault.Protocol("the peer broke the multiplexing protocol: " + fault);
                if (status == HeaderStatus.Incomplete || Volatile.Read(ref _isOver) != 0) return null;
                SessionChannel? full = Take(frame, _reader.Part(frame.PayloadStart, frame.PayloadLength));
                _reader.Consume(frame.Length);
                if (full is not null) return full;
            }
        }
        finally
        {
            // now, so that each of them finds all that came for it
            foreach (ReceiveQueue woken in _woken) woken.Deliver(Held(woken));
            _woken.Clear();
            _held.Clear();
            Outbox.Release();
        }
    }

    private ReadOnlySpan<ArraySegment<byte>> Held(ReceiveQueue queue)
    {
        _parts.Clear();
        foreach ((ReceiveQueue Queue, ArraySegment<byte> Part) held in _held)
        {
            if (held.Queue == queue) _parts.Add(held.Part);
        }
        return CollectionsMarshal.AsSpan(_parts);
    }
}
