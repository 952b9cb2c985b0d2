using System.Buffers;
using System.Runtime.ExceptionServices;
using ProxyShell.Engine.Diagnostics;

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
    private int _nextLength = Math.Min(FirstLength, maxLength);
    private Task<Exception?>? _waiting;

    /// <summary>The bytes at hand.</summary>
    public ReadOnlySpan<byte> Bytes => Memory.Span;

    /// <summary>The bytes at hand, valid until more are read; who consumes them may change them before.</summary>
    public Memory<byte> Memory => _buffer is null ? default : _buffer.AsMemory(_start, _end - _start);

    /// <summary>Some of the bytes at hand, valid until more are read.</summary>
    public ArraySegment<byte> Part(int start, int length) => new(_buffer!, _start + start, length);

    /// <summary>Whether as many bytes are at hand as the longest header has.</summary>
    public bool IsFull => _end - _start >= maxLength;

    /// <summary>Whether the last read filled the buffer to its end, so that more is likely to wait.</summary>
    public bool WasFilled => _buffer is not null && _end == _buffer.Length;

    /// <summary>Reads more; false at the end of the stream. To be asked only while a header of at most maxLength is incomplete.</summary>
    public async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        if (_waiting is not null) await FinishWaitingAsync(cancellationToken).ConfigureAwait(false);
        else if (_buffer is null)
        {
            // what has come is taken at once; a peer that says nothing costs no buffer
            if (TryReadFirst() is >= 0 and var first) return first > 0;
            await connection.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
        }
        _buffer ??= ArrayPool<byte>.Shared.Rent(_nextLength);
        // a little that lies far behind is moved: a read into what room there is left would be a small one
        if (_end == _buffer.Length || (_end > _buffer.Length / 2 && _end - _start < _start)) MakeRoom();
        int count = await connection.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    /// <summary>Reads on into memory of the caller's, while nothing is at hand; 0 at the end of the stream.</summary>
    public async ValueTask<int> ReadPastAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_waiting is not null) await FinishWaitingAsync(cancellationToken).ConfigureAwait(false);
        return await connection.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Begins to wait for bytes or the end without taking any, or goes on doing so; the next <see cref="ReadMoreAsync"/> ends this wait. Who watches is told when bytes or
    /// the end have come, or how the peer has broken off, and not when the wait is cancelled. The task completes behind that, and does not fail.
    /// </summary>
    public Task WatchAsync(Func<ProxyException?, ValueTask> tell, CancellationToken cancellationToken) =>
        _waiting is { IsCompleted: false } ? _waiting : _waiting = WaitAsync(tell, cancellationToken);

    /// <summary>Takes a whole header off the front.</summary>
    public void Consume(int count) => _start += count;

    /// <summary>Gives the buffer back when nothing is in it: for a pause. The next one is of the size that served last.</summary>
    public void Rest()
    {
        if (_start < _end || _buffer is null) return;
        _nextLength = Math.Clamp(_end < _buffer.Length / 4 ? _buffer.Length / 2 : _buffer.Length, Math.Min(FirstLength, maxLength), maxLength);
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (null, 0, 0);
    }

    public void Dispose()
    {
        if (_buffer is null) return;
        if (_end > _start) connection.Unread(Bytes.ToArray());
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private int TryReadFirst()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(_nextLength);
        int count = -1;
        try
        {
            count = connection.TryRead(buffer);
        }
        finally
        {
            if (count > 0) (_buffer, _end) = (buffer, count);
            else ArrayPool<byte>.Shared.Return(buffer);
        }
        return count;
    }

    private async ValueTask FinishWaitingAsync(CancellationToken cancellationToken)
    {
        Exception? failure = await _waiting!.WaitAsync(cancellationToken).ConfigureAwait(false);
        _waiting = null;
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    // whoever goes on when the wait ends awaits this alone: a task with two that await it hands one of them to the pool
    private async Task<Exception?> WaitAsync(Func<ProxyException?, ValueTask> tell, CancellationToken cancellationToken)
    {
        ProxyException? failure = null;
        try
        {
            await connection.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            return e;
        }
        catch (ProxyException e)
        {
            failure = e;
        }
        await tell(failure).ConfigureAwait(false);
        return failure;
    }

    // a buffer that was filled to its end is replaced by a larger one: the peer has much to say
    private void MakeRoom()
    {
        byte[] old = _buffer!;
        ReadOnlySpan<byte> bytes = Bytes;
        if (_start == 0 && old.Length >= maxLength) throw new InvalidOperationException("More was asked for than the longest header has.");
        bool grows = _end == old.Length && old.Length < maxLength;
        byte[] target = grows ? ArrayPool<byte>.Shared.Rent(Math.Min(old.Length * 2, maxLength)) : old;
        bytes.CopyTo(target);
        (_start, _end, _buffer) = (0, bytes.Length, target);
        if (grows) ArrayPool<byte>.Shared.Return(old);
    }
}
