using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// Datagrams in a stream (<see cref="DatagramFrame"/>). Sending never waits: what the stream cannot take yet is kept up to a limit, and lost
/// beyond it, as anything may be that goes by UDP.
/// </summary>
internal sealed class DatagramStream(DuplexConnection connection)
{
    private const int MaxWaiting = 1024 * 1024;
    private const int FirstLength = 2048;

    private readonly Lock _gate = new();
    private byte[] _waiting = [];
    private int _length;
    private bool _isWriting;
    private bool _hasEnded;
    private TaskCompletionSource? _drained;

    /// <summary>Sends a datagram, or keeps it; false when it is too long, or lost.</summary>
    public bool Send(ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_hasEnded || datagram.Length > DatagramFrame.MaxLength || _length + datagram.Length + DatagramFrame.LengthBytes > MaxWaiting) return false;
            Append(datagram.Length, datagram);
            if (_isWriting) return true;
            _isWriting = true;
        }
        // owned by the stream: it ends when nothing is left to write
        _ = WriteAsync();
        return true;
    }

    /// <summary>Ends this direction after what was sent before, with a response header that tells why if there is one.</summary>
    public async Task EndAsync(ReadOnlyMemory<byte> reason, CancellationToken cancellationToken)
    {
        bool starts;
        lock (_gate)
        {
            if (_hasEnded) return;
            _hasEnded = true;
            if (!reason.IsEmpty) Append(DatagramFrame.EndMark, reason.Span);
            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            starts = !_isWriting;
            _isWriting = true;
        }
        if (starts) _ = WriteAsync();
        await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await connection.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Hands over each datagram until the stream ends; returns the other side's reason for that, or null when it ended without a word. While
    /// nothing comes no buffer is held.
    /// </summary>
    /// <exception cref="ProxyException">The stream broke, was cut off within a datagram, or held what is none.</exception>
    public async Task<RelayResponse?> ReceiveAsync(IDatagramSink sink)
    {
        const int BufferLength = 2 * (DatagramFrame.LengthBytes + DatagramFrame.MaxLength);
        byte[]? buffer = null;
        int length = 0;
        try
        {
            while (true)
            {
                if (buffer is null) await connection.ReadAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
                buffer ??= ArrayPool<byte>.Shared.Rent(BufferLength);
                int count = await connection.ReadAsync(buffer.AsMemory(length), CancellationToken.None).ConfigureAwait(false);
                if (count == 0) return length == 0 ? null : throw CutOff();
                length += count;
                int taken = Take(buffer.AsSpan(0, length), sink);
                if (DatagramFrame.Measure(buffer.AsSpan(taken, length - taken), out _) == HeaderStatus.Complete)
                    return await ReadReasonAsync(buffer, taken + DatagramFrame.LengthBytes, length).ConfigureAwait(false);
                buffer.AsSpan(taken, length - taken).CopyTo(buffer);
                length -= taken;
                if (length == 0) Release(ref buffer);
            }
        }
        finally
        {
            Release(ref buffer);
        }
    }

    // all whole datagrams; what is left begins with an end mark or is not whole
    private static int Take(ReadOnlySpan<byte> bytes, IDatagramSink sink)
    {
        int taken = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = bytes[taken..];
            HeaderStatus status = DatagramFrame.Measure(rest, out int total);
            if (status == HeaderStatus.Invalid) throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, "sent something that is no datagram");
            if (status == HeaderStatus.Incomplete || DatagramFrame.IsEndMark(rest)) return taken;
            sink.OnReceived(rest[DatagramFrame.LengthBytes..total]);
            taken += total;
        }
    }

    private async ValueTask<RelayResponse> ReadReasonAsync(byte[] buffer, int start, int end)
    {
        while (true)
        {
            switch (RelayResponseCodec.Measure(buffer.AsSpan(start, end - start), out int total, out string fault))
            {
                case HeaderStatus.Complete:
                    return RelayResponseCodec.Read(buffer.AsSpan(start, total), UInt128.Zero, null, out fault) ?? throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, fault);
                case HeaderStatus.Invalid:
                    throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, fault);
            }
            if (buffer.Length - end < RelayFrame.MaxLength)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
            int count = await connection.ReadAsync(buffer.AsMemory(end), CancellationToken.None).ConfigureAwait(false);
            if (count == 0) throw CutOff();
            end += count;
        }
    }

    private static ProxyException CutOff() => new(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "closed the connection within a datagram");

    private void Append(int mark, ReadOnlySpan<byte> bytes)
    {
        int needed = _length + DatagramFrame.LengthBytes + bytes.Length;
        if (needed > _waiting.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstLength, 2 * _length)));
            _waiting.AsSpan(0, _length).CopyTo(larger);
            if (_waiting.Length > 0) ArrayPool<byte>.Shared.Return(_waiting);
            _waiting = larger;
        }
        DatagramFrame.WriteLength(_waiting.AsSpan(_length), mark);
        bytes.CopyTo(_waiting.AsSpan(_length + DatagramFrame.LengthBytes));
        _length = needed;
    }

    // everything that waits goes in one write; what comes meanwhile in the next
    private async Task WriteAsync()
    {
        while (TakeWaiting(out byte[] buffer, out int length))
        {
            try
            {
                await connection.WriteAsync(buffer.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ProxyException or ObjectDisposedException)
            {
                // the receiving side is told the same, and ends the flow
                lock (_gate) _hasEnded = true;
            }
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TakeWaiting(out byte[] buffer, out int length)
    {
        lock (_gate)
        {
            (buffer, length) = (_waiting, _length);
            (_waiting, _length) = ([], 0);
            if (length > 0) return true;
            if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            _isWriting = false;
            _drained?.TrySetResult();
            return false;
        }
    }

    private static void Release(ref byte[]? buffer)
    {
        if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}
