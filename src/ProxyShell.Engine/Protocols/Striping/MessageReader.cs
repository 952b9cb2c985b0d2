using System.Buffers;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>
/// Takes whole messages (<see cref="MessageFrame"/>) out of the bytes of a stream, however these are cut up. It grows with the bytes that have come, not
/// with a length that was announced, up to one message and what one read brought beside it.
/// </summary>
internal sealed class MessageReader : IDisposable
{
    private const int FirstRoom = 4096;
    private const int MaxRoom = MessageFrame.MaxLengthBytes + MessageFrame.MaxLength;

    private byte[]? _buffer;
    private int _start;
    private int _end;

    /// <summary>Whether the stream would be cut off within a message if it ended now.</summary>
    public bool IsWithinMessage => _end > _start;

    /// <summary>How many bytes it holds memory for.</summary>
    public int Capacity => _buffer?.Length ?? 0;

    /// <summary>Where the next bytes go; never empty once all whole messages were taken, which are not valid from here on.</summary>
    public Memory<byte> GetRoom()
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(FirstRoom);
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length) Grow(_buffer);
        return _buffer.AsMemory(_end);
    }

    /// <summary>So many bytes have come to where <see cref="GetRoom"/> said.</summary>
    public void Add(int count) => _end += count;

    /// <summary>Takes the next message when all of it is there; it is valid until <see cref="GetRoom"/> or <see cref="Rest"/>.</summary>
    public HeaderStatus TryTake(out ReadOnlyMemory<byte> message, out string fault)
    {
        message = default;
        ReadOnlyMemory<byte> bytes = _buffer.AsMemory(_start, _end - _start);
        HeaderStatus status = MessageFrame.ReadLength(bytes.Span, out int length, out int lengthBytes, out fault);
        if (status != HeaderStatus.Complete) return status;
        if (bytes.Length - lengthBytes < length) return HeaderStatus.Incomplete;
        message = bytes.Slice(lengthBytes, length);
        _start += lengthBytes + length;
        return HeaderStatus.Complete;
    }

    /// <summary>Gives the memory back when no part of a message is in it: for a pause.</summary>
    public void Rest()
    {
        if (!IsWithinMessage) Dispose();
    }

    public void Dispose()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (null, 0, 0);
    }

    private void Grow(byte[] full)
    {
        if (full.Length >= MaxRoom) throw new InvalidOperationException("More was asked for than the longest message has.");
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Min(2 * full.Length, MaxRoom));
        full.CopyTo(_buffer, 0);
        ArrayPool<byte>.Shared.Return(full);
    }
}
