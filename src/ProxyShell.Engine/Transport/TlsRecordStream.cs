using System.Buffers;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// What lies below an SslStream, which reads two records at a time and writes each by itself. While much comes it is read ahead, and given on in
/// whole records. Between <see cref="Cork"/> and <see cref="UncorkAsync"/> the records of a large write are collected.
/// </summary>
internal sealed class TlsRecordStream(DuplexConnection connection, TlsGate gate) : DuplexStream(connection)
{
    private const int MostCollected = 256 * 1024;
    private const int MostAhead = 256 * 1024;
    private const int Bulk = 16 * 1024;

    private readonly DuplexConnection _connection = connection;
    private readonly Lock _gate = new();
    private byte[]? _collected;
    private int _length;
    private bool _isCorked;

    private TlsRecordTracker _tracker;
    private byte[]? _ahead;
    private int _start;
    private int _end;
    private bool _isBulk;

    /// <summary>Whether the next read finds a record with data, and so need not wait.</summary>
    public bool HasRecord => _ahead is not null && _tracker.IsLargeRecord(Ahead);

    private ReadOnlySpan<byte> Ahead => _ahead.AsSpan(_start, _end - _start);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ahead is not null || (_isBulk && TryReadAhead())) return new ValueTask<int>(Take(buffer.Span));
        return ReadDirectlyAsync(buffer, cancellationToken);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        TryCollect(buffer.Span) ? ValueTask.CompletedTask : WriteBehindAsync(buffer, cancellationToken);

    /// <summary>From now on records are collected.</summary>
    public void Cork()
    {
        lock (_gate) _isCorked = true;
    }

    /// <summary>Sends what was collected, and from now on every record at once.</summary>
    public ValueTask UncorkAsync(CancellationToken cancellationToken)
    {
        lock (_gate) _isCorked = false;
        return SendCollectedAsync(cancellationToken);
    }

    // who was given all that there was room for is likely to find more
    private async ValueTask<int> ReadDirectlyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count = await gate.ReadInnerAsync(_connection, buffer, cancellationToken).ConfigureAwait(false);
        _isBulk = count >= Bulk && count == buffer.Length;
        _tracker.Pass(buffer.Span[..count]);
        return count;
    }

    // without waiting, so that no buffer is held meanwhile
    private bool TryReadAhead()
    {
        byte[] ahead = ArrayPool<byte>.Shared.Rent(MostAhead);
        int count = _connection.TryRead(ahead);
        if (count > 0) (_ahead, _start, _end) = (ahead, 0, count);
        else ArrayPool<byte>.Shared.Return(ahead);
        return count > 0;
    }

    private int Take(Span<byte> buffer)
    {
        int count = _tracker.WholeRecords(Ahead, buffer.Length);
        Ahead[..count].CopyTo(buffer);
        _tracker.Pass(buffer[..count]);
        _start += count;
        if (_start < _end) return count;
        ArrayPool<byte>.Shared.Return(_ahead!);
        _ahead = null;
        return count;
    }

    private bool TryCollect(ReadOnlySpan<byte> record)
    {
        lock (_gate)
        {
            if (!_isCorked || _length + record.Length > MostCollected) return false;
            _collected ??= ArrayPool<byte>.Shared.Rent(MostCollected);
            record.CopyTo(_collected.AsSpan(_length));
            _length += record.Length;
            return true;
        }
    }

    private async ValueTask WriteBehindAsync(ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        await SendCollectedAsync(cancellationToken).ConfigureAwait(false);
        if (!TryCollect(record.Span)) await _connection.WriteAsync(record, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SendCollectedAsync(CancellationToken cancellationToken)
    {
        byte[]? collected;
        int length;
        lock (_gate) (collected, length, _collected, _length) = (_collected, _length, null, 0);
        if (collected is null) return;
        try
        {
            await _connection.WriteAsync(collected.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(collected);
        }
    }
}
