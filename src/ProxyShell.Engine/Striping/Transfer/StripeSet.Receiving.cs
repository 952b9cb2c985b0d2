using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Striping.Transfer;

/// <summary>What comes in.</summary>
internal sealed partial class StripeSet
{
    // of bulk every second frame is told of; the last ones, and what is no bulk, a little later, together with what else is sent by then
    private const int TellAfter = 2;
    private const long TellLater = 5_000;
    private const long TellMuchLater = 20_000;

    // ranges of streams: numbers come in order, so that only as many are open in between as there are stripes
    private const int MostRanges = 65_536;

    /// <summary>Lets a parser hand over what it makes of bytes that came on a stripe.</summary>
    /// <exception cref="ProxyException">They do not follow the protocol.</exception>
    public void Receive(Stripe stripe, StripeParser parser, int count)
    {
        using Section section = Enter();
        if (stripe.IsGone || _failure is not null) return;
        stripe.HeardAt = Now;
        stripe.PingedAt = 0;
        stripe.BytesIn += count;
        _moved += count;
        parser.Advance(count);
        if (stripe.AckBy != long.MaxValue && stripe.AckBy > stripe.HeardAt) WakeBy(stripe.AckBy);
    }

    /// <summary>Bytes of a stream; called by the parser, within <see cref="Receive"/>.</summary>
    public void OnData(Stripe stripe, long id, long offset, Piece piece)
    {
        Count(stripe, isData: true);
        if (Find(id) is not { IsBroken: false } stream)
        {
            piece.Release();
            return;
        }
        if (!stream.Incoming.TryAdd(offset, piece, stream.Limit)) throw Fault($"bytes of stream {id} beyond its window or its end");
        WakeReader(stream);
    }

    /// <summary>Any other frame; called by the parser, within <see cref="Receive"/>.</summary>
    public void OnFrame(Stripe stripe, in StripeFrame frame)
    {
        if (frame.IsNumbered) Count(stripe, isData: false);
        switch (frame.Kind)
        {
            case StripeFrameKind.Ack:
                OnAck(frame);
                break;
            case StripeFrameKind.Ping:
                stripe.PongDue = frame.Value;
                TellAgain();
                break;
            case StripeFrameKind.Pong:
                OnPong(stripe, frame.Value);
                break;
            case StripeFrameKind.Leave:
                (stripe.State, stripe.HasFinished, stripe.EndsInOrder) = (StripeState.Closed, true, true);
                _due.Add(new StripeEnd(stripe, new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Relay, null, "the other end needs the stripe no more")));
                break;
            case StripeFrameKind.Goodbye:
                stripe.EndsInOrder = true;
                End(frame.Reason == ProxyErrorReason.None ? null : StripeWords.Read(frame.Reason, frame.Words));
                break;
            default:
                if (Find(frame.Id) is { IsBroken: false } stream) OnFrame(stream, frame);
                break;
        }
    }

    // what was told may have gone by a stripe that has been lost or silent since
    private void TellAgain()
    {
        long now = Now;
        foreach (Stripe stripe in _stripes)
        {
            if (stripe.Received > 0) stripe.AckBy = now;
        }
        _hasChanged = true;
    }

    private void OnPong(Stripe stripe, long askedAt)
    {
        long now = Now;
        if (askedAt > 0 && askedAt < now && now - askedAt < Microseconds(_options.KeepAlive)) stripe.Meter.NoteRoundTrip(now - askedAt, now);
    }

    private void OnFrame(StripedStream stream, in StripeFrame frame)
    {
        switch (frame.Kind)
        {
            case StripeFrameKind.Open:
                OnOpen(stream, frame);
                break;
            case StripeFrameKind.End:
                if (!stream.Incoming.TryEnd(frame.Value)) throw Fault($"an end of stream {stream.Id} before its bytes");
                WakeReader(stream);
                Retire(stream);
                break;
            case StripeFrameKind.Reset:
                Fail(stream, StripeWords.Read(frame.Reason, frame.Words));
                break;
            case StripeFrameKind.Window:
                stream.SendLimit = Math.Max(stream.SendLimit, frame.Value);
                Enqueue(stream, stream.Writing.Length <= SmallWrite);
                break;
            case StripeFrameKind.Blocked:
                Widen(stream, frame.Value);
                break;
        }
    }

    private void OnOpen(StripedStream stream, in StripeFrame frame)
    {
        if (_isNear || frame.Value > (long)StreamKind.Datagrams || !OpenAddress.TryRead(frame.Words, out var client)) throw Fault($"an opening of stream {stream.Id} that is none");
        if (stream.Opening is not null) return;
        stream.Opening = new StreamOpening((StreamKind)frame.Value, client);
        _due.Add(stream);
    }

    // the sender had to wait, and the reader is not behind: then it is the window that is too small for the way. It may have been told of a higher limit since, which
    // says nothing: while all goes well limits are always under way. What it said of a limit from before the last widening is answered already.
    private void Widen(StripedStream stream, long limit)
    {
        if (limit < stream.WidenedFrom || stream.Incoming.Ready > stream.Window / 2 || stream.Window >= _options.Window) return;
        long more = Math.Min(stream.Window, _options.Window - stream.Window);
        if (_windows + more > MostFullWindows * _options.Window) return;
        (stream.Window, _windows) = (stream.Window + more, _windows + more);
        GrowLimit(stream, force: true);
        stream.WidenedFrom = stream.Limit;
    }

    private void OnAck(in StripeFrame frame)
    {
        long number = frame.Id;
        if (_stripes.Find(known => known.Number == number) is not { } stripe) return;
        long count = frame.Value - stripe.Acknowledged;
        if (count <= 0) return;
        if (count > stripe.Sent.Count) throw Fault($"an acknowledgement of {frame.Value} frames on stripe {number}, which has sent {stripe.Acknowledged + stripe.Sent.Count}");
        long now = Now, bytes = 0;
        SentFrame sent = default;
        for (long i = 0; i < count; i++)
        {
            sent = stripe.Sent.Dequeue();
            bytes += sent.Frame.Length;
            sent.Frame.IsDelivered = true;
            sent.Frame.Release();
        }
        stripe.Acknowledged = frame.Value;
        stripe.InFlight -= bytes;
        stripe.MovedAt = now;
        stripe.Meter.Arrived(sent, bytes, now, Math.Min(frame.Delay, 1_000_000));
        if (stripe is { State: StripeState.Stalled, HasFinished: false, IsLeaveDue: false }) (stripe.State, stripe.WasSentAgain) = (StripeState.Active, false);
        _hasChanged = true;
    }

    // the other end opens streams by sending anything for them: the opening itself may come later, on another stripe
    private StripedStream? Find(long id)
    {
        if (_streams.TryGetValue(id, out StripedStream? stream)) return stream;
        if (_isNear)
        {
            if (id <= 0 || id > _lastId) throw Fault($"a frame of stream {id}, which was never opened");
            return null;
        }
        if (id <= 0 || !_seen.Add(id)) return null;
        if (_seen.Count > MostRanges) throw Fault("streams that are not numbered in order");
        stream = Add(id);
        if (_streams.Count <= _options.MaxStreams) return stream;
        var why = new ProxyException(ProxyErrorReason.LimitExceeded, ProxyStage.Request, null, $"the pipe has {_options.MaxStreams} streams already");
        TellReset(stream, why);
        Fail(stream, why);
        return null;
    }

    private void Count(Stripe stripe, bool isData)
    {
        long now = Now;
        stripe.Received++;
        _receivedAt = stripe.NewestAt = now;
        if (isData && ++stripe.Untold >= TellAfter) (stripe.AckBy, _hasChanged) = (now, true);
        else stripe.AckBy = Math.Min(stripe.AckBy, now + (isData ? TellLater : TellMuchLater));
    }

    private static ProxyException Fault(string what) => new(ProxyErrorReason.ProtocolError, ProxyStage.Relay, null, what);
}
