namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// Says of bytes in passing how many of them belong to a body, and when it is whole. It can also undo chunking, for clients that do not
/// know it: then the data moves together at the front.
/// </summary>
internal sealed class HttpBodyScanner(HttpBody body, bool undoChunks = false)
{
    private readonly HttpChunkScanner? _chunks = body.Kind == HttpBodyKind.Chunked ? new HttpChunkScanner() : null;
    private long _left = body.Length;

    /// <summary>Whether the body has come to its end; one that ends with the connection never says so.</summary>
    public bool IsComplete { get; private set; } = body.Kind == HttpBodyKind.None;

    /// <summary>Whether the end of the stream is the end of the body.</summary>
    public bool EndsWithStream => body.Kind == HttpBodyKind.UntilClose;

    /// <summary>How many bytes are the body's for certain, whatever they are.</summary>
    public long Certain => body.Kind switch { HttpBodyKind.Length => _left, HttpBodyKind.UntilClose => long.MaxValue, _ => 0 };

    /// <summary>How many bytes of data have passed, without what frames them.</summary>
    public long Data { get; private set; }

    /// <summary>What is wrong, once <see cref="TryTake"/> has said false.</summary>
    public string Fault => _chunks?.Fault ?? "";

    /// <summary>
    /// Takes bytes of the body off the front: <paramref name="taken"/> of them are used up, and the first <paramref name="kept"/> are what to
    /// pass on. False when they break the framing.
    /// </summary>
    public bool TryTake(Span<byte> bytes, out int taken, out int kept)
    {
        if (_chunks is not null) return TryTakeChunks(_chunks, bytes, out taken, out kept);
        taken = body.Kind switch
        {
            HttpBodyKind.Length => (int)Math.Min(_left, bytes.Length),
            HttpBodyKind.UntilClose => bytes.Length,
            _ => 0,
        };
        kept = taken;
        _left -= taken;
        Data += taken;
        if (body.Kind == HttpBodyKind.Length) IsComplete = _left == 0;
        return true;
    }

    private bool TryTakeChunks(HttpChunkScanner chunks, Span<byte> bytes, out int taken, out int kept)
    {
        (taken, kept) = (0, 0);
        while (taken < bytes.Length && !IsComplete)
        {
            HeaderStatus status = chunks.Scan(bytes[taken..], out int count, out int data);
            if (status == HeaderStatus.Invalid) return false;
            taken += count;
            Data += data;
            if (undoChunks) bytes.Slice(taken - data, data).CopyTo(bytes[kept..]);
            kept += undoChunks ? data : count;
            IsComplete = status == HeaderStatus.Complete;
        }
        return true;
    }
}
