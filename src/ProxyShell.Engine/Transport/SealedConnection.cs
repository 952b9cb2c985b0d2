using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// A connection whose bytes travel as sealed records: length of the content (2 bytes, big-endian, at most 16,384), content, tag (16). An
/// empty record is the end of the direction; a stream that ends without one was cut off. docs/protocols/relay.md, "Payload".
/// </summary>
internal sealed class SealedConnection(DuplexConnection inner, RecordCipher sending) : DuplexConnection
{
    public const int MaxContent = 16 * 1024;

    private const int FrontLength = 2;
    private const int MaxRecord = FrontLength + MaxContent + RecordCipher.TagLength;

    private RecordCipher? _receiving;
    private byte[]? _incoming;
    private int _start;
    private int _end;
    private byte[]? _content;
    private int _contentStart;
    private int _contentEnd;
    private bool _ended;

    public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

    internal override EpollLoop? Loop => inner.Loop;

    internal override void ContinueOn(EpollLoop loop) => inner.ContinueOn(loop);

    internal override void ExpectBulk() => inner.ExpectBulk();

    /// <summary>Sets the cipher of the other direction, which a client knows only after the last hop's answer.</summary>
    public void ReceiveWith(RecordCipher receiving) => _receiving = receiving;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        byte[] records = ArrayPool<byte>.Shared.Rent(MaxRecord);
        try
        {
            while (!buffer.IsEmpty)
            {
                ReadOnlyMemory<byte> content = buffer[..Math.Min(buffer.Length, MaxContent)];
                buffer = buffer[content.Length..];
                await inner.WriteAsync(records.AsMemory(0, Seal(content.Span, records)), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(records);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        var record = new byte[FrontLength + RecordCipher.TagLength];
        Seal([], record);
        await inner.WriteAsync(record, cancellationToken).ConfigureAwait(false);
        await inner.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void Abort() => inner.Abort();

    // the pooled buffers are not given back here: a read that was aborted may still hold them
    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    protected override async ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (_contentStart == _contentEnd && !_ended)
        {
            if (!TryOpenRecord()) await FillAsync(cancellationToken).ConfigureAwait(false);
        }
        int count = Math.Min(buffer.Length, _contentEnd - _contentStart);
        _content.AsMemory(_contentStart, count).CopyTo(buffer);
        _contentStart += count;
        if (_contentStart == _contentEnd) ReleaseIdle();
        return count;
    }

    private int Seal(ReadOnlySpan<byte> content, Span<byte> output)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output, (ushort)content.Length);
        sending.Seal(content, output[FrontLength..], output[..FrontLength]);
        return FrontLength + content.Length + RecordCipher.TagLength;
    }

    private bool TryOpenRecord()
    {
        ReadOnlySpan<byte> bytes = _incoming.AsSpan(_start, _end - _start);
        if (bytes.Length < FrontLength) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (length > MaxContent) throw Broken($"a payload record of {length} bytes is over the limit of {MaxContent}");
        int total = FrontLength + length + RecordCipher.TagLength;
        if (bytes.Length < total) return false;
        _content ??= ArrayPool<byte>.Shared.Rent(MaxContent);
        if (!_receiving!.TryOpen(bytes[FrontLength..total], _content, bytes[..FrontLength])) throw Broken("a payload record does not open with the payload key");
        _start += total;
        (_contentStart, _contentEnd, _ended) = (0, length, length == 0);
        return true;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        // an idle direction holds no buffer
        if (_incoming is null) await inner.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        _incoming ??= ArrayPool<byte>.Shared.Rent(2 * MaxRecord);
        if (_start > 0)
        {
            _incoming.AsSpan(_start, _end - _start).CopyTo(_incoming);
            (_start, _end) = (0, _end - _start);
        }
        int count = await inner.ReadAsync(_incoming.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        if (count == 0) throw Broken("the payload was cut off before its end");
        _end += count;
    }

    private void ReleaseIdle()
    {
        if (_content is not null) ArrayPool<byte>.Shared.Return(_content);
        _content = null;
        if (_incoming is null || _start < _end) return;
        ArrayPool<byte>.Shared.Return(_incoming);
        (_incoming, _start, _end) = (null, 0, 0);
    }

    private static ProxyException Broken(string why) => new(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, why);
}
