using System.Buffers;
using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Transport;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Striping;

/// <summary>
/// A connection whose bytes travel as messages: what is written at once is one (docs/protocols/datagram-framing.md, "Bytes"). The bytes of a message are
/// read as they come; a stream that ends within one was cut off.
/// </summary>
internal sealed class MessageConnection(DuplexConnection inner) : DuplexConnection
{
    private const int MaxWritten = 64 * 1024;
    private const int BufferLength = 64 * 1024;

    private byte[]? _buffer;
    private int _start;
    private int _end;
    private int _left;
    private bool _hasEnded;

    public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    internal override byte[]? ServerCertificateHash => inner.ServerCertificateHash;

    internal override EpollLoop? Loop => inner.Loop;

    private ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, _end - _start);

    // bytes that say nothing are no message: tcp-striper takes an empty one for an end
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            ReadOnlyMemory<byte> content = buffer[..Math.Min(buffer.Length, MaxWritten)];
            buffer = buffer[content.Length..];
            await WriteMessageAsync(content, cancellationToken).ConfigureAwait(false);
        }
    }

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken) => inner.CompleteWritesAsync(cancellationToken);

    public override void Abort() => inner.Abort();

    public override void Abort(ProxyException why) => inner.Abort(why);

    // the buffer is not given back here: a read that was aborted may still hold it
    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    internal override void ContinueOn(EpollLoop loop) => inner.ContinueOn(loop);

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (_left == 0)
        {
            if (_hasEnded || !await ReadLengthAsync(cancellationToken).ConfigureAwait(false)) return 0;
        }
        if (_start == _end && !await FillAsync(cancellationToken).ConfigureAwait(false)) throw CutOff();
        int count = Math.Min(buffer.Length, Math.Min(_left, _end - _start));
        Bytes[..count].CopyTo(buffer.Span);
        (_start, _left) = (_start + count, _left - count);
        if (_start == _end) Rest();
        return count;
    }

    // false at the end of the stream
    private async ValueTask<bool> ReadLengthAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (MessageFrame.ReadLength(Bytes, out int length, out int lengthBytes, out string fault))
            {
                case HeaderStatus.Complete:
                    (_left, _start) = (length, _start + lengthBytes);
                    if (_start == _end) Rest();
                    return true;
                case HeaderStatus.Invalid:
                    throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, fault);
            }
            if (await FillAsync(cancellationToken).ConfigureAwait(false)) continue;
            _hasEnded = Bytes.IsEmpty ? true : throw CutOff();
            return false;
        }
    }

    // false at the end of the stream
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        // an idle direction holds no buffer
        if (_buffer is null) await inner.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        _buffer ??= ArrayPool<byte>.Shared.Rent(BufferLength);
        Bytes.CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int count = await inner.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    // a buffer that was filled is kept, since more is likely to wait
    private void Rest()
    {
        if (_end < _buffer!.Length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
        (_start, _end) = (0, 0);
    }

    private async ValueTask WriteMessageAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] message = ArrayPool<byte>.Shared.Rent(MessageFrame.MaxLengthBytes + content.Length);
        try
        {
            int lengthBytes = MessageFrame.WriteLength(message, content.Length);
            content.CopyTo(message.AsMemory(lengthBytes));
            await inner.WriteAsync(message.AsMemory(0, lengthBytes + content.Length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    private static ProxyException CutOff() => new(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "ended the stream within a message");
}
