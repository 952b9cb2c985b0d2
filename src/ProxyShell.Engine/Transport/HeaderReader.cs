using System.Buffers;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Collects bytes from a connection until a header is whole. Reads as much as there is in one go; what was read past the
/// headers is put back when the reader is disposed. The buffer begins small and doubles up to <paramref name="maxLength"/>.
/// </summary>
internal sealed class HeaderReader(DuplexConnection connection, int maxLength) : IDisposable
{
    private const int FirstLength = 4096;

    private byte[]? _buffer;
    private int _start;
    private int _end;

    /// <summary>The bytes at hand.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer is null ? default : _buffer.AsSpan(_start, _end - _start);

    /// <summary>Reads more; false at the end of the stream. To be asked only while a header of at most maxLength is incomplete.</summary>
    public async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        // a peer that says nothing costs no buffer
        if (_buffer is null) await connection.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        _buffer ??= ArrayPool<byte>.Shared.Rent(Math.Min(FirstLength, maxLength));
        if (_end == _buffer.Length) MakeRoom();
        int count = await connection.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    /// <summary>Takes a whole header off the front.</summary>
    public void Consume(int count) => _start += count;

    public void Dispose()
    {
        if (_buffer is null) return;
        if (_end > _start) connection.Unread(Bytes.ToArray());
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private void MakeRoom()
    {
        byte[] old = _buffer!;
        ReadOnlySpan<byte> bytes = Bytes;
        bool isFull = _start == 0;
        if (isFull && old.Length >= maxLength) throw new InvalidOperationException("More was asked for than the longest header has.");
        byte[] target = isFull ? ArrayPool<byte>.Shared.Rent(Math.Min(old.Length * 2, maxLength)) : old;
        bytes.CopyTo(target);
        (_start, _end, _buffer) = (0, bytes.Length, target);
        if (isFull) ArrayPool<byte>.Shared.Return(old);
    }
}
