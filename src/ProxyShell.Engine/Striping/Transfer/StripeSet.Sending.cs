using System.Buffers;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What goes out, and on which stripe.</summary>
internal sealed partial class StripeSet
{
    private const int SmallWrite = 4 * 1024;
    private const int BatchLength = 16 * 1024;

    // how many streams a stripe looks at for one it may serve
    private const int MostLooks = 32;

    private readonly Queue<OutFrame> _control = new();
    private readonly Queue<OutFrame> _resend = new();
    private readonly Queue<StripedStream> _small = new();
    private readonly Queue<StripedStream> _large = new();
    private readonly Queue<StripedStream> _windowsDue = new();

    /// <summary>
    /// What the stripe is to write next, valid until the next call for it; empty when there is nothing: then its writer waits (<see cref="Stripe.WaitAsync"/>),
    /// or ends if the stripe is gone.
    /// </summary>
    public ReadOnlyMemory<byte> Take(Stripe stripe)
    {
        OutFrame? frame;
        ReadOnlyMemory<byte> source = default;
        using (Section section = Enter())
        {
            if (stripe.IsGone || stripe.HasFinished) return default;
            long now = Now;
            _scheduler.Survey(now);
            int length = FillBatch(stripe, now);
            frame = length > 0 ? null : TakeLarge(stripe, now, out source);
            if (length == 0 && frame is null)
            {
                Rest(stripe, now);
                return default;
            }
            _hasChanged = true;
            _moved += frame?.Length ?? length;
            if (frame is null) return stripe.Batch.AsMemory(0, length);
        }
        if (source.IsEmpty) return frame.Bytes;
        source.CopyTo(frame.Buffer.AsMemory(frame.Length - source.Length));
        using (Section section = Enter())
        {
            frame.IsWhole = true;
            if (frame.Stream.Writing.Copied()) _due.Add(frame.Stream.Writing);
            Enqueue(frame.Stream, isSmall: false);
        }
        return frame.Bytes;
    }

    // one stripe is woken at a time; when it has taken its share and there is more, the next one is
    private void Pump()
    {
        long now = Now;
        _scheduler.Survey(now);
        foreach (Stripe stripe in _stripes)
        {
            if (stripe.IsIdle && HasOwnWords(stripe)) Rouse(stripe);
        }
        if (Messenger is { IsIdle: true } messenger && HasMessages(now)) Rouse(messenger);
        if (_resend.Count == 0 && _large.Count == 0) return;
        Stripe? soonest = null;
        long least = long.MaxValue;
        foreach (Stripe stripe in _stripes)
        {
            if (!stripe.IsIdle || !_scheduler.HasRoom(stripe, now)) continue;
            long delay = StripeScheduler.Delay(stripe, now);
            if (delay >= least || !HasWorkFor(stripe, now)) continue;
            (soonest, least) = (stripe, delay);
        }
        if (soonest is not null) Rouse(soonest);
    }

    /// <summary>The stripe for what should not wait: the one that delivers soonest.</summary>
    private Stripe? Messenger => _scheduler.Best ?? _stripes.Find(stripe => !stripe.IsGone);

    private bool HasMessages(long now) => _control.Count > 0 || _windowsDue.Count > 0 || _stripes.Exists(stripe => stripe.AckBy <= now) || (_small.Count > 0 && MayHurry(Messenger!, now));

    // small writes go ahead of what is limited, but not without any limit
    private bool MayHurry(Stripe stripe, long now) => stripe.InFlight < 2 * stripe.Meter.Budget(_scheduler.Segment, now);

    private bool HasWorkFor(Stripe stripe, long now)
    {
        if (_resend.Count > 0) return true;
        int looks = 0;
        foreach (StripedStream stream in _large)
        {
            if (_scheduler.IsWorthwhile(stripe, stream.SendLimit - stream.SentOffset, now)) return true;
            TellBlocked(stream);
            if (++looks == MostLooks) break;
        }
        return false;
    }

    private void Rouse(Stripe stripe)
    {
        stripe.IsIdle = false;
        _due.Add(stripe);
    }

    private void Rest(Stripe stripe, long now)
    {
        stripe.IsIdle = true;
        if (_scheduler.HasRoom(stripe, now)) stripe.Meter.NoteAppLimited(stripe.InFlight);
        ReleaseBatch(stripe);
    }

    private void SendEnd(StripedStream stream)
    {
        stream.IsEndSent = true;
        Control(stream, new StripeFrame(StripeFrameKind.End) { Id = stream.Id, Value = stream.SentOffset });
        Retire(stream);
    }

    private OutFrame? TakeLarge(Stripe stripe, long now, out ReadOnlyMemory<byte> source)
    {
        source = default;
        if (!_scheduler.HasRoom(stripe, now)) return null;
        return TakeAgain(stripe, now) ?? TakeNew(stripe, now, out source);
    }

    private OutFrame? TakeAgain(Stripe stripe, long now)
    {
        while (_resend.TryDequeue(out OutFrame? frame))
        {
            bool isWanted = frame.IsWanted;
            if (isWanted)
            {
                Send(frame, stripe, now);
                (stripe.Resent, stripe.BytesOut) = (stripe.Resent + frame.Length, stripe.BytesOut + frame.Length);
            }
            frame.Release();
            if (isWanted) return frame;
        }
        return null;
    }

    private OutFrame? TakeNew(Stripe stripe, long now, out ReadOnlyMemory<byte> source)
    {
        source = default;
        for (int looks = Math.Min(_large.Count, MostLooks); looks > 0; looks--)
        {
            StripedStream stream = _large.Dequeue();
            stream.IsQueued = false;
            if (!stream.HasTurn) continue;
            if (stream.Writing.Length == 0)
            {
                SendEnd(stream);
                continue;
            }
            if (!_scheduler.IsWorthwhile(stripe, stream.SendLimit - stream.SentOffset, now))
            {
                TellBlocked(stream);
                stream.IsQueued = true;
                _large.Enqueue(stream);
                continue;
            }
            OutFrame frame = Cut(stream, _scheduler.Segment, out source);
            Send(frame, stripe, now);
            stripe.BytesOut += frame.Length;
            return frame;
        }
        return null;
    }

    // the next bytes of a stream as a frame, which they still have to be copied into
    private static OutFrame Cut(StripedStream stream, int most, out ReadOnlyMemory<byte> source)
    {
        int count = (int)Math.Min(Math.Min(stream.Writing.Length, most), stream.SendLimit - stream.SentOffset);
        source = stream.Writing.Take(count);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(StripeFrameCodec.MaxDataHeader + count);
        int header = StripeFrameCodec.Write(buffer, new StripeFrame(StripeFrameKind.Data) { Id = stream.Id, Value = stream.SentOffset, Length = count });
        stream.SentOffset += count;
        return new OutFrame(stream, buffer) { Length = header + count, IsWhole = false };
    }

    private void Send(OutFrame frame, Stripe stripe, long now)
    {
        frame.Retain();
        if (stripe.InFlight == 0)
        {
            stripe.MovedAt = now;
            WakeBy(now + LeastStall);
        }
        stripe.Sent.Enqueue(stripe.Meter.Leave(frame, stripe.InFlight == 0, now));
        stripe.InFlight += frame.Length;
    }

    private void Resend(OutFrame frame, bool isStillUnderWay)
    {
        if (frame.IsWanted && frame.IsWhole)
        {
            frame.Retain();
            _resend.Enqueue(frame);
        }
        if (!isStillUnderWay) frame.Release();
    }
}
