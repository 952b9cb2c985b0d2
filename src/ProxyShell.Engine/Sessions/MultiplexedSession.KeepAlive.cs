using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>What <see cref="KeepAlive"/> needs of its session.</summary>
public sealed partial class MultiplexedSession
{
    /// <summary>How many keep-alive probes the peer has answered; 0 for good with peers that do not know how.</summary>
    public int ProbesAnswered => _keepAlive.Answers;

    internal bool IsProbing => _keepAlive.IsProbing;

    internal ChannelId NextProbe() => _channels.NextId();

    // a probe that finds no place is not needed: then there is much to send, and the peer is noticed to be gone by that
    internal void SendProbe(ChannelId id, byte[] name)
    {
        if (Outbox.TryReply(new Reply(FrameCode.Offer, id, name))) Outbox.TryReply(new Reply(FrameCode.ChannelTerminated, id, []));
        Outbox.Wake(little: true);
    }

    internal void NoteRoundTrip(long sentAt) => _roundTrip.Observe(sentAt, _options.Time.GetTimestamp());

    internal void Lose(TimeSpan silence) =>
        End(SessionFault.Of(ProxyErrorReason.TimedOut, $"the peer was silent for {silence.TotalSeconds:0.#} s, and does not answer"));
}
