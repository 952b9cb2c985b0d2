using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>A dead peer is noticed, and one that merely does not answer probes is not taken for dead.</summary>
public class KeepAliveTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ManualTime _time = new();

    private SessionOptions Options => new() { KeepAlive = Limit, Time = _time };

    [Fact]
    public async Task A_peer_that_answered_once_and_is_silent_now_is_dead_within_the_time()
    {
        await using RawPeer peer = await RawPeer.StartAsync(Options);
        await AnswerAsync(peer, 1);
        await Deadline.Until(() => peer.Session.RoundTrip is not null, "the answer has come");
        _time.Advance(Limit / 2);
        await peer.ExpectAsync(FrameCode.Offer, RawPeer.Theirs(2));
        Assert.False(peer.Session.Completion.IsCompleted);
        _time.Advance(Limit / 2);
        ProxyException? error = await peer.Session.Completion.Within();
        Assert.Equal((ProxyErrorReason.TimedOut, "the peer was silent for 20 s, and does not answer"), (error!.Reason, error.Message));
    }

    [Fact]
    public async Task A_peer_that_answers_lives_on()
    {
        await using RawPeer peer = await RawPeer.StartAsync(Options);
        for (int round = 1; round < 20; round++)
        {
            await AnswerAsync(peer, round);
            await Deadline.Until(() => peer.Session.ProbesAnswered == round, "the answer has come");
            _time.Advance(Limit / 2);
        }
        Assert.False(peer.Session.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_never_answers_is_not_taken_for_dead()
    {
        await using RawPeer peer = await RawPeer.StartAsync(Options);
        _time.Advance(100 * Limit);
        Assert.False(peer.Session.Completion.IsCompleted);
        await peer.OfferAsync(1, "x");
        await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
    }

    [Fact]
    public async Task Sessions_answer_each_other_and_nobody_sees_the_probes()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, Options);
        Task<ChannelOffer> offered = pair.Far.NextOfferAsync(CancellationToken.None);
        await Deadline.Until(() => pair.Near.ProbesAnswered == 1 && pair.Far.ProbesAnswered == 1, "both have answered the first");
        for (int round = 0; round < 10; round++)
        {
            // one of the two may be early enough to be the other's sign of life
            int before = pair.Near.ProbesAnswered + pair.Far.ProbesAnswered;
            _time.Advance(Limit / 2);
            // an answer that is still under way would be a sign of life in the next round, in which then nobody asks
            await Deadline.Until(() => pair.Near.ProbesAnswered + pair.Far.ProbesAnswered > before && !pair.Near.IsProbing && !pair.Far.IsProbing, "who asked has its answer");
        }
        Assert.False(offered.IsCompleted);
        Assert.Equal(0, pair.Near.ChannelCount);
        pair.Near.Offer("x");
        Assert.Equal("x", (await offered.Within()).Name);
    }

    [Fact]
    public async Task No_timer_is_left_behind()
    {
        await using (SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, Options)) Assert.Equal(2, _time.Timers);
        Assert.Equal(0, _time.Timers);
    }

    private static async Task AnswerAsync(RawPeer peer, long number)
    {
        Assert.Equal("proxyshell.probe", ControlPayload.TryReadOffer(await peer.ExpectAsync(FrameCode.Offer, RawPeer.Theirs(number)), out string name, out _) ? name : null);
        await peer.ExpectAsync(FrameCode.ChannelTerminated, RawPeer.Theirs(number));
        await peer.SendAsync(FrameCode.ChannelTerminated, RawPeer.Theirs(number));
    }
}
