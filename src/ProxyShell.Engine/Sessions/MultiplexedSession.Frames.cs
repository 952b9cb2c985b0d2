using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>What the frames of the peer mean.</summary>
public sealed partial class MultiplexedSession
{
    private SessionChannel? Take(Frame frame, ArraySegment<byte> payload)
    {
        if (frame.Code is FrameCode.Unknown) return null;
        if (frame.Channel is not { } id) throw SessionFault.Protocol($"the peer sent {frame.Code} without a channel");
        if (frame.Code == FrameCode.Offer)
        {
            TakeOffer(id, payload);
            return null;
        }
        if (_channels.Find(id) is { } channel) return Take(frame.Code, channel, payload);
        if (frame.Code == FrameCode.ChannelTerminated) _keepAlive.NoteAnswer(id);
        // what a closed channel is told comes late and is no fault; what never was a channel is told nothing
        if (!_channels.MayHaveBeen(id)) throw SessionFault.Protocol($"the peer sent {frame.Code} for channel {id}, which there never was");
        return null;
    }

    private SessionChannel? Take(FrameCode code, SessionChannel channel, ArraySegment<byte> payload)
    {
        switch (code)
        {
            case FrameCode.OfferAccepted:
                TakeAcceptance(channel, payload);
                break;
            case FrameCode.Content:
                return TakeContent(channel, payload);
            case FrameCode.ContentWritingCompleted:
                TakeEnd(channel);
                break;
            case FrameCode.ChannelTerminated:
                TakeTermination(channel, payload);
                break;
            case FrameCode.ContentReadingCompleted:
                FailWrites(channel);
                break;
            default:
                if (_codec.HasWindows) TakeWindowWord(code, channel, payload);
                break;
        }
        return null;
    }

    private void TakeOffer(ChannelId id, ReadOnlySpan<byte> payload)
    {
        if (id.Source != ChannelSource.Remote) throw SessionFault.Protocol($"the peer offered channel {id}, whose number is not its own");
        (string name, long window) = (_codec.HasWindows ? "" : Encoding.UTF8.GetString(payload), 0);
        if (_codec.HasWindows && !ControlPayload.TryReadOffer(payload, out name, out window)) throw SessionFault.Protocol($"the peer's offer of channel {id} is malformed");
        if (!_channels.NoteOffered(id)) throw SessionFault.Protocol($"the peer offered channel {id} a second time");
        if (name == KeepAlive.ProbeName) Reject(id, null);
        else if (_refusal is { } refusal) Reject(id, refusal);
        else Offered(new SessionChannel(this, id, name, NewWindow()) { OfferedWindow = window });
    }

    private void Offered(SessionChannel channel)
    {
        if (!_channels.TryAdd(channel)) Reject(channel.Id, Full());
        else if (!_offers.TryAdd(channel)) Terminate(channel, Crowded(), Farewell.Error);
    }

    private void Reject(ChannelId id, ProxyException? why)
    {
        byte[] words = why is null ? [] : ControlPayload.ErrorBytes(SessionFault.Text(why));
        if (!Outbox.TryReply(new Reply(FrameCode.ChannelTerminated, id, words))) throw SessionFault.Protocol("the peer offers channels and does not read the answers");
    }

    private void TakeAcceptance(SessionChannel channel, ReadOnlySpan<byte> payload)
    {
        if (channel.Id.Source != ChannelSource.Local) throw SessionFault.Protocol($"the peer accepted channel {channel.Id}, which is not on offer to it");
        long window = long.MaxValue;
        if (_codec.HasWindows && !ControlPayload.TryReadAcceptance(payload, out window)) throw SessionFault.Protocol($"the peer's acceptance of channel {channel.Id} is malformed");
        bool wakes;
        lock (Outbox.Gate)
        {
            if (channel.Sender.IsOpen || channel.Sender.IsClosed) return;
            channel.Sender.Open(window);
            wakes = Outbox.Enqueue(channel.Sender);
        }
        channel.NoteAccepted();
        if (wakes) Outbox.Wake(little: true);
    }

    private SessionChannel? TakeContent(SessionChannel channel, ArraySegment<byte> payload)
    {
        if (IsPremature(channel)) Terminate(channel, SessionFault.Protocol("content came before the channel was accepted"), Farewell.Error);
        else if (channel.Incoming.HasEnded) Terminate(channel, SessionFault.Protocol("content came behind the end"), Farewell.Error);
        else if (!channel.Incoming.TryAdd(payload, out bool wakes, out bool holds)) Terminate(channel, SessionFault.Protocol($"content came for which the window of {channel.Window:N0} bytes has no room"), Farewell.Error);
        else
        {
            Interlocked.Add(ref _bytesReceived, payload.Count);
            if (wakes) _woken.Add(channel.Incoming);
            if (holds) _held.Add((channel.Incoming, payload));
        }
        if (_codec.HasWindows || !channel.Incoming.IsFull(_options.Window)) return null;
        if (channel.Sender.IsOpen) return channel;
        Terminate(channel, SessionFault.Of(ProxyErrorReason.LimitExceeded, "too much content came before the channel was accepted"), Farewell.Error);
        return null;
    }

    private void TakeEnd(SessionChannel channel)
    {
        if (IsPremature(channel))
        {
            Terminate(channel, SessionFault.Protocol("the end came before the channel was accepted"), Farewell.Error);
            return;
        }
        bool wakes;
        lock (Outbox.Gate)
        {
            channel.Sender.PeerEnded();
            wakes = Outbox.Enqueue(channel.Sender);
        }
        channel.Incoming.End();
        if (wakes) Outbox.Wake(little: true);
    }

    private void TakeTermination(SessionChannel channel, ReadOnlySpan<byte> payload)
    {
        string? text = _codec.HasWindows ? ControlPayload.ReadError(payload) : null;
        ProxyException error = channel.Acceptance.IsCompleted
            ? SessionFault.FromPeer(text, ProxyErrorReason.ConnectionReset, "the peer closed the channel")
            : SessionFault.FromPeer(text, ProxyErrorReason.ConnectionRefused, "the peer rejected the channel");
        Terminate(channel, error, Farewell.Echo);
    }

    private void TakeWindowWord(FrameCode code, SessionChannel channel, ReadOnlySpan<byte> payload)
    {
        long count = 0;
        if (code != FrameCode.ChannelWindowGrowthRequest && !ControlPayload.TryReadCount(payload, out count)) throw SessionFault.Protocol($"the peer's {code} for channel {channel.Id} is malformed");
        if (code != FrameCode.ContentProcessed) PeerGrows = true;
        if (code == FrameCode.ChannelWindowGrowthRequest)
        {
            channel.Incoming.AskForGrowth();
            return;
        }
        bool holds = true, wakes;
        lock (Outbox.Gate)
        {
            if (code == FrameCode.ContentProcessed) holds = channel.Sender.TryAcknowledge(count);
            else channel.Sender.Adjust(count);
            wakes = Outbox.Enqueue(channel.Sender);
        }
        if (!holds) Terminate(channel, SessionFault.Protocol($"{count:N0} bytes were acknowledged, more than were sent"), Farewell.Error);
        else if (wakes) Outbox.Wake(little: true);
    }

    private void FailWrites(SessionChannel channel)
    {
        bool wakes;
        lock (Outbox.Gate)
        {
            channel.Sender.StopWrites(SessionFault.Of(ProxyErrorReason.ConnectionReset, "the peer reads no more"));
            wakes = Outbox.Enqueue(channel.Sender);
        }
        if (wakes) Outbox.Wake(little: true);
    }

    private ProxyException Crowded() =>
        SessionFault.Of(ProxyErrorReason.LimitExceeded, $"{_options.MaxPendingOffers:N0} offers wait to be accepted, which is as many as may");

    // a channel that we offered says nothing before the peer has accepted it
    private static bool IsPremature(SessionChannel channel) => channel.Id.Source == ChannelSource.Local && !channel.Acceptance.IsCompleted;
}
