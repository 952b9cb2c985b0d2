using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Striping;

/// <summary>Datagrams in a stream, each a message (docs/protocols/datagram-framing.md). Sending never waits (<see cref="DatagramOutbox"/>).</summary>
internal sealed class MessageStream(DuplexConnection connection)
{
    private readonly DatagramOutbox _outbox = new(connection);

    /// <summary>Sends a datagram, or keeps it; false when it is too long, or lost.</summary>
    public bool Send(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > MessageFrame.MaxLength) return false;
        Span<byte> head = stackalloc byte[MessageFrame.MaxLengthBytes];
        return _outbox.TryAdd(head[..MessageFrame.WriteLength(head, datagram.Length)], datagram);
    }

    /// <summary>Ends this direction after what was sent before.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => _outbox.EndAsync(default, cancellationToken);

    /// <summary>
    /// Hands over each datagram until the stream ends; longer ones than <paramref name="limit"/> are dropped, and their length is told. While
    /// nothing comes no buffer is held.
    /// </summary>
    /// <exception cref="ProxyException">The stream broke, was cut off within a message, or held what is none.</exception>
    public async Task ReceiveAsync(IDatagramSink sink, int limit, Action<int> dropped)
    {
        using var reader = new MessageReader();
        while (true)
        {
            if (reader.Capacity == 0) await connection.ReadAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
            int count = await connection.ReadAsync(reader.GetRoom(), CancellationToken.None).ConfigureAwait(false);
            if (count == 0)
            {
                if (reader.IsWithinMessage) throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "ended the stream within a message");
                return;
            }
            reader.Add(count);
            TakeAll(reader, sink, limit, dropped);
            reader.Rest();
        }
    }

    private static void TakeAll(MessageReader reader, IDatagramSink sink, int limit, Action<int> dropped)
    {
        while (true)
        {
            HeaderStatus status = reader.TryTake(out ReadOnlyMemory<byte> message, out string fault);
            if (status == HeaderStatus.Invalid) throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, fault);
            if (status == HeaderStatus.Incomplete) return;
            if (message.Length <= limit) sink.OnReceived(message.Span);
            else dropped(message.Length);
        }
    }
}
