using System.Buffers;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>Short things, which go out together.</summary>
internal sealed partial class StripeSet
{
    private static bool HasOwnWords(Stripe stripe) => stripe.IsPingDue || stripe.IsGoodbyeDue || stripe.IsLeaveDue || stripe.PongDue is not null;

    // everything short that is due, in one write
    private int FillBatch(Stripe stripe, long now)
    {
        bool isMessenger = stripe == Messenger, hasMessages = isMessenger && HasMessages(now);
        if (!hasMessages && !HasOwnWords(stripe)) return 0;
        stripe.Batch ??= ArrayPool<byte>.Shared.Rent(BatchLength);
        Span<byte> batch = stripe.Batch.AsSpan(0, BatchLength);
        int length = WritePings(stripe, batch, now);
        if (hasMessages)
        {
            length += WriteAcks(batch[length..], now);
            while (_windowsDue.TryDequeue(out StripedStream? stream)) TellWindow(stream);
            while (length < batch.Length - StripeFrameCodec.MaxLength && _control.TryDequeue(out OutFrame? frame)) length += Copy(frame, stripe, batch[length..], now);
            while (length < batch.Length - SmallWrite - StripeFrameCodec.MaxDataHeader && MayHurry(stripe, now) && _small.TryDequeue(out StripedStream? stream))
                length += WriteSmall(stream, stripe, batch[length..], now);
        }
        if ((stripe.IsGoodbyeDue || stripe.IsLeaveDue) && length + StripeFrameCodec.MaxLength < batch.Length)
        {
            length += StripeFrameCodec.Write(batch[length..], new StripeFrame(stripe.IsGoodbyeDue ? StripeFrameKind.Goodbye : StripeFrameKind.Leave));
            (stripe.IsGoodbyeDue, stripe.IsLeaveDue, stripe.HasFinished, stripe.EndsInOrder) = (false, false, true, true);
        }
        stripe.BytesOut += length;
        return length;
    }

    private static int WritePings(Stripe stripe, Span<byte> batch, long now)
    {
        int length = 0;
        if (stripe.PongDue is { } token) length += StripeFrameCodec.Write(batch, new StripeFrame(StripeFrameKind.Pong) { Value = token });
        if (stripe.IsPingDue) length += StripeFrameCodec.Write(batch[length..], new StripeFrame(StripeFrameKind.Ping) { Value = now });
        if (stripe.IsPingDue && stripe.PingedAt == 0) stripe.PingedAt = now;
        (stripe.PongDue, stripe.IsPingDue) = (null, false);
        return length;
    }

    // whoever writes tells of all stripes, since their own way back may be slow or broken
    private int WriteAcks(Span<byte> batch, long now)
    {
        int length = 0;
        foreach (Stripe stripe in _stripes)
        {
            if (stripe.AckBy == long.MaxValue || length > BatchLength / 4) continue;
            length += StripeFrameCodec.Write(batch[length..], new StripeFrame(StripeFrameKind.Ack) { Id = stripe.Number, Value = stripe.Received, Delay = now - stripe.NewestAt });
            (stripe.Untold, stripe.AckBy) = (0, long.MaxValue);
        }
        return length;
    }

    private void TellWindow(StripedStream stream)
    {
        stream.IsWindowDue = false;
        if (!stream.IsBroken) Control(stream, new StripeFrame(StripeFrameKind.Window) { Id = stream.Id, Value = stream.Limit });
    }

    private int Copy(OutFrame frame, Stripe stripe, Span<byte> batch, long now)
    {
        int length = frame.IsWanted ? frame.Length : 0;
        if (length > 0)
        {
            frame.Bytes.Span.CopyTo(batch);
            Send(frame, stripe, now);
        }
        frame.Release();
        return length;
    }

    private int WriteSmall(StripedStream stream, Stripe stripe, Span<byte> batch, long now)
    {
        stream.IsQueued = false;
        if (!stream.HasTurn) return 0;
        int length = stream.Writing.Length > 0 ? WriteSmallData(stream, stripe, batch, now) : 0;
        if (stream.IsEndWanted && !stream.IsEndSent && stream.Writing.Length == 0) SendEnd(stream);
        Enqueue(stream, isSmall: false);
        return length;
    }

    private int WriteSmallData(StripedStream stream, Stripe stripe, Span<byte> batch, long now)
    {
        OutFrame frame = Cut(stream, SmallWrite, out ReadOnlyMemory<byte> source);
        source.CopyTo(frame.Buffer.AsMemory(frame.Length - source.Length));
        frame.IsWhole = true;
        if (stream.Writing.Copied()) _due.Add(stream.Writing);
        frame.Bytes.Span.CopyTo(batch);
        Send(frame, stripe, now);
        return frame.Length;
    }

    private static void ReleaseBatch(Stripe stripe)
    {
        if (stripe.Batch is not null) ArrayPool<byte>.Shared.Return(stripe.Batch);
        stripe.Batch = null;
    }
}
