using System.Buffers;

namespace ProxyShell.Engine.Sessions;

/// <summary>Bytes in order, in pooled pieces; holds none while it is empty. To be used by one thread at a time.</summary>
internal sealed class ByteQueue
{
    private const int SmallestPiece = 64;
    private const int SmallPiece = 2 * 1024;
    private const int Piece = 16 * 1024;
    private const int LargePiece = 64 * 1024;

    // all but the last are full
    private readonly Queue<byte[]> _pieces = new(2);
    private byte[] _last = [];
    private int _start;
    private int _end;

    public long Length { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_end == _last.Length) Extend(bytes.Length);
            int count = Math.Min(bytes.Length, _last.Length - _end);
            bytes[..count].CopyTo(_last.AsSpan(_end));
            _end += count;
            Length += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Takes as many bytes as there are and fit.</summary>
    public int Take(Span<byte> output)
    {
        int taken = 0;
        while (taken < output.Length && Length > 0)
        {
            byte[] first = _pieces.Peek();
            int count = Math.Min(output.Length - taken, (first == _last ? _end : first.Length) - _start);
            first.AsSpan(_start, count).CopyTo(output[taken..]);
            taken += count;
            _start += count;
            Length -= count;
            if (Length == 0 || _start == first.Length) Drop();
        }
        return taken;
    }

    public void Clear()
    {
        while (_pieces.Count > 0) Drop();
        Length = 0;
    }

    private void Extend(int coming)
    {
        // thousands may hold a few bytes each at the same time, more than the pool has pieces for
        int length = Length > 8 * LargePiece ? LargePiece : Length == 0 && coming <= SmallPiece ? Math.Max(coming, SmallestPiece) : Piece;
        _last = ArrayPool<byte>.Shared.Rent(length);
        _end = 0;
        _pieces.Enqueue(_last);
    }

    private void Drop()
    {
        byte[] first = _pieces.Dequeue();
        _start = 0;
        if (first == _last) (_last, _end) = ([], 0);
        ArrayPool<byte>.Shared.Return(first);
    }
}
