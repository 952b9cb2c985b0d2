using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// Datagrams on their way into a stream, each behind a head. Adding never waits: what the stream cannot take yet is kept up to a limit, and lost
/// beyond it, as anything may be that goes by UDP.
/// </summary>
internal sealed class DatagramOutbox(DuplexConnection connection)
{
    private const int MaxWaiting = 1024 * 1024;
    private const int FirstLength = 2048;

    private readonly Lock _gate = new();
    private byte[] _waiting = [];
    private int _length;
    private bool _isWriting;
    private bool _hasEnded;
    private TaskCompletionSource? _drained;

    /// <summary>Sends a datagram, or keeps it; false when it is lost.</summary>
    public bool TryAdd(ReadOnlySpan<byte> head, ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_hasEnded || _length + head.Length + datagram.Length > MaxWaiting) return false;
            Append(head, datagram);
            if (_isWriting) return true;
            _isWriting = true;
        }
        // owned by the stream: it ends when nothing is left to write
        _ = WriteAsync();
        return true;
    }

    /// <summary>Ends this direction after what was added before, and after these last bytes.</summary>
    public async Task EndAsync(ReadOnlyMemory<byte> last, CancellationToken cancellationToken)
    {
        bool starts;
        lock (_gate)
        {
            if (_hasEnded) return;
            _hasEnded = true;
            Append(last.Span, default);
            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            starts = !_isWriting;
            _isWriting = true;
        }
        if (starts) _ = WriteAsync();
        await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await connection.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Append(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        int needed = _length + head.Length + body.Length;
        if (needed > _waiting.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstLength, 2 * _length)));
            _waiting.AsSpan(0, _length).CopyTo(larger);
            if (_waiting.Length > 0) ArrayPool<byte>.Shared.Return(_waiting);
            _waiting = larger;
        }
        head.CopyTo(_waiting.AsSpan(_length));
        body.CopyTo(_waiting.AsSpan(_length + head.Length));
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
}
