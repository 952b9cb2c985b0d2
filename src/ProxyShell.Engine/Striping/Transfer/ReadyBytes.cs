using System.Buffers;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Bytes in order, in the buffers they came in; only small pieces that must wait are put together, so that a byte does not cost a buffer.</summary>
internal sealed class ReadyBytes
{
    private const int SmallPiece = 2 * 1024;
    private const int Collected = 16 * 1024;

    private readonly Queue<Piece> _pieces = new(2);
    private Piece _head;
    private Piece _tail;

    public long Length { get; private set; }

    public void Add(Piece piece)
    {
        Length += piece.Length;
        if (_tail.Length > 0 && piece.Length <= SmallPiece)
        {
            if (_tail.Room < piece.Length) Extend(ArrayPool<byte>.Shared.Rent(Collected));
            piece.Span.CopyTo(_tail.Buffer.AsSpan(_tail.Start + _tail.Length));
            _tail = _tail with { Length = _tail.Length + piece.Length };
            piece.Release();
            return;
        }
        if (_tail.Length > 0) _pieces.Enqueue(_tail);
        _tail = piece;
    }

    /// <summary>Takes as many bytes as there are and fit.</summary>
    public int Take(Span<byte> output)
    {
        int taken = 0;
        while (taken < output.Length && Length > 0)
        {
            if (_head.Length == 0) Advance();
            int count = Math.Min(output.Length - taken, _head.Length);
            _head.Span[..count].CopyTo(output[taken..]);
            (taken, Length) = (taken + count, Length - count);
            if (count == _head.Length) Drop();
            else _head = _head.Skip(count);
        }
        return taken;
    }

    public void Clear()
    {
        while (Length > 0)
        {
            if (_head.Length == 0) Advance();
            Length -= _head.Length;
            Drop();
        }
    }

    private void Extend(byte[] buffer)
    {
        _pieces.Enqueue(_tail);
        _tail = new Piece(buffer, 0, 0);
    }

    private void Advance()
    {
        if (_pieces.TryDequeue(out _head)) return;
        (_head, _tail) = (_tail, default);
    }

    private void Drop()
    {
        _head.Release();
        _head = default;
    }
}
