using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Relaying;

/// <summary>Datagrams in a stream (<see cref="DatagramFrame"/>). Sending never waits (<see cref="DatagramOutbox"/>).</summary>
internal sealed class DatagramStream(DuplexConnection connection)
{
    private readonly DatagramOutbox _outbox = new(connection);

    /// <summary>Sends a datagram, or keeps it; false when it is too long, or lost.</summary>
    public bool Send(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > DatagramFrame.MaxLength) return false;
        Span<byte> head = stackalloc byte[DatagramFrame.LengthBytes];
        DatagramFrame.WriteLength(head, datagram.Length);
        return _outbox.TryAdd(head, datagram);
    }

    /// <summary>Ends this direction after what was sent before, with a response header that tells why if there is one.</summary>
    public Task EndAsync(ReadOnlyMemory<byte> reason, CancellationToken cancellationToken)
    {
        if (reason.IsEmpty) return _outbox.EndAsync(default, cancellationToken);
        var last = new byte[DatagramFrame.LengthBytes + reason.Length];
        DatagramFrame.WriteLength(last, DatagramFrame.EndMark);
        reason.CopyTo(last.AsMemory(DatagramFrame.LengthBytes));
        return _outbox.EndAsync(last, cancellationToken);
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

    private static void Release(ref byte[]? buffer)
    {
        if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}
