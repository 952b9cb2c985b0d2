namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>
/// Puts the bytes of a stream in order. What came before (sent again after a stripe was lost) is dropped; what comes early waits. To be used under the set's lock.
/// </summary>
internal sealed class Reassembly
{
    // a peer that needs more pieces than this for a window is not one of ours
    private const int MostEarly = 65_536;

    private readonly ReadyBytes _ready = new();
    private readonly SortedList<long, Piece> _early = [];
    private long _end = long.MaxValue;
    private bool _wasCut;

    /// <summary>Where the bytes in order end.</summary>
    public long Next { get; private set; }

    /// <summary>Where the bytes that were taken end.</summary>
    public long Taken => Next - _ready.Length;

    /// <summary>Bytes in order that wait to be taken.</summary>
    public long Ready => _ready.Length;

    /// <summary>Bytes that wait for others.</summary>
    public long Early { get; private set; }

    /// <summary>Whether all bytes up to the end have come.</summary>
    public bool IsComplete => Next == _end && !_wasCut;

    /// <summary>Adds bytes, whose buffer is this object's from now on. False when they go beyond the limit or the end, or come in too many pieces.</summary>
    public bool TryAdd(long offset, Piece piece, long limit)
    {
        long end = offset + piece.Length;
        if (offset < 0 || end < offset || end > limit || end > _end)
        {
            piece.Release();
            return false;
        }
        if (offset > Next) return TryKeep(offset, piece, limit);
        Append(offset, piece);
        if (_early.Count > 0) AppendEarly();
        return true;
    }

    /// <summary>Tells where the stream ends; false when that contradicts what came.</summary>
    public bool TryEnd(long length)
    {
        int last = _early.Count - 1;
        long beyond = last >= 0 ? _early.GetKeyAtIndex(last) + _early.GetValueAtIndex(last).Length : Next;
        if (length < beyond || (_end != long.MaxValue && _end != length)) return false;
        _end = length;
        return true;
    }

    /// <summary>Takes as many bytes in order as there are and fit.</summary>
    public int Take(Span<byte> output) => _ready.Take(output);

    /// <summary>Gives all buffers back; if bytes in order were lost by that, the stream is not whole any more.</summary>
    public void Clear()
    {
        _wasCut |= _ready.Length > 0;
        _ready.Clear();
        foreach (Piece piece in _early.Values) piece.Release();
        _early.Clear();
        Early = 0;
    }

    // what overlaps with others is cut when its turn comes; honest peers send a piece again as it was
    private bool TryKeep(long offset, Piece piece, long limit)
    {
        if (_early.TryGetValue(offset, out Piece same))
        {
            if (same.Length >= piece.Length)
            {
                piece.Release();
                return true;
            }
            _early.Remove(offset);
            Early -= same.Length;
            same.Release();
        }
        if (_early.Count >= MostEarly || Early + piece.Length > limit - Taken)
        {
            piece.Release();
            return false;
        }
        _early.Add(offset, piece);
        Early += piece.Length;
        return true;
    }

    private void AppendEarly()
    {
        int count = 0;
        for (; count < _early.Count && _early.GetKeyAtIndex(count) <= Next; count++)
        {
            Piece piece = _early.GetValueAtIndex(count);
            Early -= piece.Length;
            Append(_early.GetKeyAtIndex(count), piece);
        }
        while (count > 0) _early.RemoveAt(--count);
    }

    private void Append(long offset, Piece piece)
    {
        long known = Next - offset;
        if (known >= piece.Length)
        {
            piece.Release();
            return;
        }
        Piece fresh = known > 0 ? piece.Skip((int)known) : piece;
        _ready.Add(fresh);
        Next += fresh.Length;
    }
}
