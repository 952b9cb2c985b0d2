using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// Takes the bytes of one stripe apart. Who reads puts them where <see cref="Room"/> says: long pieces of streams are read into the buffers in which they wait for
/// their reader, so that nothing is copied on the way.
/// </summary>
internal sealed class StripeParser(StripeSet set, Stripe stripe)
{
    private const int HeadLength = 16 * 1024;

    // while pieces are long little is read of the next one before its length is known
    private const int ShortRead = 1024;
    private const int LongPiece = 8 * 1024;

    private byte[]? _head;
    private int _start;
    private int _end;
    private byte[]? _piece;
    private int _filled;
    private int _length;
    private long _stream;
    private long _offset;
    private bool _isBulk;

    /// <summary>Whether there is nothing unfinished; then no buffer is held after <see cref="Rest"/>.</summary>
    public bool IsEmpty => _piece is null && _start == _end;

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Room
    {
        get
        {
            if (_piece is not null) return _piece.AsMemory(_filled, _length - _filled);
            _head ??= ArrayPool<byte>.Shared.Rent(HeadLength);
            if (_start > 0)
            {
                _head.AsSpan(_start, _end - _start).CopyTo(_head);
                (_start, _end) = (0, _end - _start);
            }
            return _head.AsMemory(_end, _isBulk ? ShortRead : HeadLength - _end);
        }
    }

    /// <summary>So many bytes have come. Only to be called by <see cref="StripeSet.Receive"/>.</summary>
    public void Advance(int count)
    {
        if (_piece is not null)
        {
            _filled += count;
            if (_filled == _length) Finish();
            return;
        }
        _end += count;
        while (_piece is null && _start < _end && ReadFrame())
        {
        }
    }

    /// <summary>Gives the buffer back when nothing is in it.</summary>
    public void Rest()
    {
        if (_head is null || _start < _end) return;
        ArrayPool<byte>.Shared.Return(_head);
        (_head, _start, _end) = (null, 0, 0);
    }

    /// <summary>Gives back all that is held; nothing more comes.</summary>
    public void Close()
    {
        if (_piece is not null) ArrayPool<byte>.Shared.Return(_piece);
        _piece = null;
        _start = _end;
        Rest();
    }

    private bool ReadFrame()
    {
        HeaderStatus status = StripeFrameCodec.Read(_head.AsSpan(_start, _end - _start), out StripeFrame frame, out int length);
        if (status == HeaderStatus.Incomplete) return false;
        if (status == HeaderStatus.Invalid) throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, "sent something that is no frame");
        _start += length;
        if (frame.Kind == StripeFrameKind.Data) Begin(frame);
        else set.OnFrame(stripe, frame);
        return true;
    }

    private void Begin(in StripeFrame frame)
    {
        (_stream, _offset, _length) = (frame.Id, frame.Value, frame.Length);
        _isBulk = _length > LongPiece;
        _piece = ArrayPool<byte>.Shared.Rent(_length);
        _filled = Math.Min(_length, _end - _start);
        _head.AsSpan(_start, _filled).CopyTo(_piece);
        _start += _filled;
        if (_filled == _length) Finish();
    }

    private void Finish()
    {
        var piece = new Piece(_piece!, 0, _length);
        _piece = null;
        set.OnData(stripe, _stream, _offset, piece);
    }
}
