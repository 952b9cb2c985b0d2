using System.Buffers;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// One direction between two sockets, driven by readiness on one loop. Small amounts are copied through the loop's scratch memory
/// (two system calls, no pipe); when a read fills it, the direction is bulk and bytes move by splice(2) through a pipe without
/// entering the process. Between turns it holds a pipe or a buffer only while the sink is full.
/// </summary>
internal sealed unsafe class SocketPump(SocketDescriptor source, SocketDescriptor sink)
{
    // after so many bytes other connections get their turn
    private const int BytesPerTurn = 1024 * 1024;

    // a turn that moved less than this was not bulk
    private const int BulkThreshold = 64 * 1024;

    private SplicePipe? _pipe;
    private int _inPipe;
    private byte[]? _pending;
    private int _pendingStart;
    private int _pendingLength;
    private bool _bulk;
    private bool _spliceRefused;
    private bool _sourceEnded;

    /// <summary>Set when the loop says so; cleared when a read would block.</summary>
    public bool SourceReady { get; set; }

    /// <summary>Set when the loop says so; cleared when a write would block.</summary>
    public bool SinkReady { get; set; } = true;

    /// <summary>Whether a short read no longer proves that the source is drained: an end, an error or urgent data is near.</summary>
    public bool ReadToTheEnd { get; set; }

    /// <summary>
    /// Set when the loop tells of an error of the source. Past the end of the stream no read shows it any more (a read at the
    /// end returns 0, reset or not), and it may come in the same event as the end; so it is asked for at the end.
    /// </summary>
    public bool SourceInError { get; set; }

    /// <summary>What it may move under a bandwidth limit; null while there is none.</summary>
    public BandwidthClaim? Claim { get; set; }

    public bool Finished { get; private set; }

    /// <summary>The error number after a failure.</summary>
    public int Error { get; private set; }

    /// <summary>
    /// Moves what can be moved; <paramref name="moved"/> is what the sink took. When the other direction is done, the sockets are
    /// closed after this one, which passes the end on by itself: <paramref name="isLast"/> saves a system call.
    /// </summary>
    public PumpOutcome Run(EpollLoop loop, bool isLast, out long moved)
    {
        moved = 0;
        while (true)
        {
            if (Finished) return HasSourceError() ? PumpOutcome.SourceFailed : PumpOutcome.Waiting;
            if (!TryFlush(ref moved)) return Error == 0 ? PumpOutcome.Waiting : PumpOutcome.SinkFailed;
            if (_sourceEnded) return PassEndOn(loop, isLast);
            if (!SourceReady) return Rest(loop, moved);
            if (moved >= BytesPerTurn) return PumpOutcome.HasMore;
            // the claim runs the relay again; until then the source stays ready, which the loop will not tell again
            if (Claim is { } claim && !claim.TryRenew(BytesPerTurn)) return Rest(loop, moved);
            if (!TryFill(loop, ref moved)) return Error == 0 ? Rest(loop, moved) : PumpOutcome.SourceFailed;
        }
    }

    /// <summary>Gives back what the pump holds; bytes not yet written are lost.</summary>
    public void Release(EpollLoop loop)
    {
        if (_pipe is not null) loop.Pipes.Return(_pipe, isEmpty: _inPipe == 0);
        if (_pending is not null) ArrayPool<byte>.Shared.Return(_pending);
        (_pipe, _pending, _inPipe, _pendingLength) = (null, null, 0, 0);
        Claim?.GiveBack();
    }

    // false: the sink is full (Error is 0) or failed
    private bool TryFlush(ref long moved)
    {
        while (_inPipe + _pendingLength > 0)
        {
            if (!SinkReady) return false;
            if (_inPipe > 0) _inPipe -= Sent(Libc.Splice(_pipe!.ReadEnd, 0, sink.Number, 0, _inPipe, Libc.SPLICE_F_MOVE_NONBLOCK), ref moved);
            else Consume(SendPending(ref moved));
            if (Error != 0) return false;
        }
        return true;
    }

    // false: the source is drained (Error is 0) or failed
    private bool TryFill(EpollLoop loop, ref long moved)
    {
        if (!_bulk || _spliceRefused || (_pipe ??= loop.Pipes.Rent()) is null) return TryCopy(loop, ref moved);
        nint count = Libc.Splice(source.Number, 0, _pipe!.WriteEnd, 0, Allowed(_pipe.Length), Libc.SPLICE_F_MOVE_NONBLOCK);
        if (count < 0) return OnReadError(Libc.LastError, splicing: true);
        _inPipe = (int)count;
        Claim?.Use((int)count);
        _sourceEnded = count == 0;
        return true;
    }

    private bool TryCopy(EpollLoop loop, ref long moved)
    {
        int asked = Allowed(EpollLoop.ScratchLength);
        nint count = Libc.Receive(source.Number, loop.Scratch, asked, 0);
        if (count < 0) return OnReadError(Libc.LastError, splicing: false);
        Claim?.Use((int)count);
        _sourceEnded = count == 0;
        if (count == asked) _bulk = asked == EpollLoop.ScratchLength;
        else if (!ReadToTheEnd) SourceReady = _sourceEnded;
        int sent = count > 0 && SinkReady ? Sent(Libc.Send(sink.Number, loop.Scratch, count, Libc.MSG_NOSIGNAL), ref moved) : 0;
        if (sent < count) Keep(new ReadOnlySpan<byte>(loop.Scratch + sent, (int)count - sent));
        return true;
    }

    private int Allowed(int most) => Claim is { } claim ? Math.Min(most, claim.Bytes) : most;

    // how many bytes the sink took; when it took none, it is full, failed (Error), or interrupted
    private int Sent(nint result, ref long moved)
    {
        if (result >= 0)
        {
            moved += result;
            return (int)result;
        }
        int errno = Libc.LastError;
        if (errno == Libc.EAGAIN) SinkReady = false;
        else if (errno != Libc.EINTR) Error = errno;
        return 0;
    }

    private bool OnReadError(int errno, bool splicing)
    {
        if (errno == Libc.EINTR) return true;
        if (errno == Libc.EINVAL && splicing)
        {
            // this kind of socket cannot be spliced: copy from now on
            _spliceRefused = true;
            return true;
        }
        if (errno == Libc.EAGAIN) SourceReady = false;
        else Error = errno;
        return false;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _pending = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(_pending);
        (_pendingStart, _pendingLength) = (0, bytes.Length);
    }

    private int SendPending(ref long moved)
    {
        fixed (byte* start = &_pending![_pendingStart]) return Sent(Libc.Send(sink.Number, start, _pendingLength, Libc.MSG_NOSIGNAL), ref moved);
    }

    private void Consume(int count)
    {
        _pendingStart += count;
        _pendingLength -= count;
        if (_pendingLength > 0) return;
        ArrayPool<byte>.Shared.Return(_pending!);
        _pending = null;
    }

    private PumpOutcome PassEndOn(EpollLoop loop, bool isLast)
    {
        Release(loop);
        Finished = true;
        if (HasSourceError()) return PumpOutcome.SourceFailed;
        if (isLast || Libc.Shutdown(sink, Libc.SHUT_WR) == 0) return PumpOutcome.Finished;
        Error = Libc.LastError;
        return PumpOutcome.SinkFailed;
    }

    // the kernel tells the error once
    private bool HasSourceError() => SourceInError && (Error = source.TakeError()) != 0;

    // nothing is pending here, so the pipe is empty
    private PumpOutcome Rest(EpollLoop loop, long moved)
    {
        Release(loop);
        _bulk = moved >= BulkThreshold;
        return PumpOutcome.Waiting;
    }
}
