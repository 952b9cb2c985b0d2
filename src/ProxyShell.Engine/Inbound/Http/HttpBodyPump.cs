using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Http;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound.Http;

/// <summary>
/// Moves one body from where it is read to where it goes, as fast as the latter takes it. Failures of reading, and of the body itself, are
/// told apart from those of writing by <see cref="IsWriting"/>.
/// </summary>
internal sealed class HttpBodyPump(ServedConnection served, HeaderReader source, HttpBodyScanner body, TrafficDirection direction)
{
    /// <summary>The most bytes of data that the body may have.</summary>
    public long MaxData { get; init; } = long.MaxValue;

    /// <summary>Runs while the sink is to take something.</summary>
    public HttpAnswerClock? Clock { get; init; }

    /// <summary>How many bytes of data have passed.</summary>
    public long Data => body.Data;

    public bool IsComplete => body.IsComplete;

    /// <summary>Whether what failed was the writing.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>Moves what is at hand of the body behind a head that is about to be written; returns how many bytes that were.</summary>
    public int TakeAtHand(Span<byte> output)
    {
        Span<byte> bytes = source.Memory.Span;
        if (body.IsComplete || bytes.IsEmpty) return 0;
        int kept = Take(bytes[..Math.Min(bytes.Length, output.Length)], out int taken);
        bytes[..kept].CopyTo(output);
        source.Consume(taken);
        return kept;
    }

    /// <summary>Moves the rest of the body, as fast as the bandwidth allows.</summary>
    public async ValueTask RunAsync(DuplexConnection sink, CancellationToken cancellationToken)
    {
        while (!body.IsComplete)
        {
            if (source.Bytes.IsEmpty && source.WasFilled) await MoveBulkAsync(sink, cancellationToken).ConfigureAwait(false);
            if (body.IsComplete || (source.Bytes.IsEmpty && !await FillAsync(cancellationToken).ConfigureAwait(false))) return;
            int kept = Take(source.Memory.Span, out int taken);
            try
            {
                if (kept > 0) await WriteAsync(sink, source.Memory[..kept], cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // whatever becomes of it, it is not part of the next message
                source.Consume(taken);
            }
        }
    }

    // as long as each read brings all that was asked for, and all of it is the body's
    private async ValueTask MoveBulkAsync(DuplexConnection sink, CancellationToken cancellationToken)
    {
        if (body.Certain < BufferedRelay.BulkLength || served.Bandwidth.IsLimited(direction)) return;
        source.Rest();
        sink.ExpectBulk();
        // who pauses gets no large buffer to do it with
        await source.ReadPastAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferedRelay.BulkLength);
        try
        {
            int length, count;
            do
            {
                length = (int)Math.Min(body.Certain, BufferedRelay.BulkLength);
                count = await source.ReadPastAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
                Take(buffer.AsSpan(0, count), out _);
                if (count > 0) await WriteAsync(sink, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            }
            while (count == length && !body.IsComplete);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask WriteAsync(DuplexConnection sink, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (served.Bandwidth.IsLimited(direction))
        {
            CancellationToken stop = cancellationToken.CanBeCanceled ? cancellationToken : served.Record.Aborting;
            await served.Bandwidth.WaitAsync(bytes.Length, direction, stop).ConfigureAwait(false);
        }
        IsWriting = true;
        Clock?.Run();
        await sink.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        Clock?.Pause();
        IsWriting = false;
        if (direction == TrafficDirection.Sent) served.Record.AddSent(bytes.Length);
        else served.Record.AddReceived(bytes.Length);
    }

    // false: the stream has ended, and the body with it
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        // as long as the body comes in bulk, the buffer stays and grows; while it pauses there is none
        if (!source.WasFilled) source.Rest();
        if (await source.ReadMoreAsync(cancellationToken).ConfigureAwait(false)) return true;
        return body.EndsWithStream ? false : throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "closed the connection within a body");
    }

    private int Take(Span<byte> bytes, out int taken)
    {
        if (!body.TryTake(bytes, out taken, out int kept)) throw new ProxyException(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, body.Fault);
        return body.Data <= MaxData ? kept : throw new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Relay, null, $"the body is over the limit of {MaxData} bytes");
    }
}
