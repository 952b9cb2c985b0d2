using System.Buffers;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Collects bytes from a connection until a header is whole. Reads as much as there is in one go; what was read past the
/// headers is put back when the reader is disposed.
/// </summary>
internal sealed class HeaderReader(DuplexConnection connection, int maxLength) : IDisposable
{
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
        _buffer ??= ArrayPool<byte>.Shared.Rent(maxLength);
        if (_end == _buffer.Length) Compact();
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

    private void Compact()
    {
        Bytes.CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
    }
}
