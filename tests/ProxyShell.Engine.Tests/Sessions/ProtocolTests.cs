using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Frame by frame: what a session says when, and what it makes of a peer that breaks the rules (docs/protocols/multiplexing.md).</summary>
public class ProtocolTests
{
    private static readonly ChannelId One = RawPeer.Mine(1), Theirs = RawPeer.Theirs(1);

    public static TheoryData<string, string> Faults => new()
    {
        { "90", "the peer broke the multiplexing protocol: a frame is an empty array" },
        { "9102", "the peer sent Content without a channel" },
        { "93020501", "the peer sent Content for channel 5 (offered by the peer), which there never was" },
        { "930305FF", "the peer sent ContentWritingCompleted for channel 5, which there never was" },
        { "940001FFC40391A161", "the peer offered channel 1, whose number is not its own" },
        { "94000000C40391A161", "the peer offered channel 0 (seeded), whose number is not its own" },
        { "94000101C40190", "the peer's offer of channel 1 (offered by the peer) is malformed" },
        { "94000101C4030102FF", "the peer's offer of channel 1 (offered by the peer) is malformed" },
        { "94000101C40391A161" + "94000101C40391A161", "the peer offered channel 1 (offered by the peer) a second time" },
        { "94000101C40391A161" + "94010101C40190", "the peer accepted channel 1 (offered by the peer), which is not on offer to it" },
        { "94000101C40391A161" + "94050101C40190", "the peer's ContentProcessed for channel 1 (offered by the peer) is malformed" },
        { "94000101C40391A161" + "94070101C402A161", "the peer's ChannelWindowAdjust for channel 1 (offered by the peer) is malformed" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_peer_that_breaks_the_protocol_is_told_off_and_left(string hex, string words)
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.TrySendAsync([.. Convert.FromHexString(hex), 0]);
        ProxyException? error = await peer.Session.Completion.Within();
        Assert.Equal((ProxyErrorReason.ProtocolError, words), (error!.Reason, error.Message));
    }

    [Fact]
    public async Task Unknown_codes_and_late_words_are_ignored()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.SendAsync(Convert.FromHexString("9109" + "93630101" + "91CCFF"));
        await peer.OfferAsync(7, "x");
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        channel.Abort();
        await peer.ExpectAsync(FrameCode.OfferAccepted, RawPeer.Mine(7));
        await peer.ExpectAsync(FrameCode.ChannelTerminated, RawPeer.Mine(7));
        foreach (FrameCode late in Enum.GetValues<FrameCode>().Where(c => c is not (FrameCode.Offer or FrameCode.Unknown))) await peer.CountAsync(late, RawPeer.Mine(7), 1);
        await AssertAliveAsync(peer);
    }

    [Fact]
    public async Task Both_ends_and_the_close_come_in_order()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        SessionChannel channel = peer.Session.Offer("name");
        Assert.Equal([0x92, 0xA4, .. "name"u8, 0xCE, 0, 2, 0, 0], await peer.ExpectAsync(FrameCode.Offer, Theirs));
        await peer.CountAsync(FrameCode.OfferAccepted, Theirs, 1000);
        await channel.WriteAsync("hello"u8.ToArray(), CancellationToken.None).Within();
        Assert.Equal("hello"u8.ToArray(), await peer.ExpectAsync(FrameCode.Content, Theirs));
        await channel.CompleteWritesAsync(CancellationToken.None);
        await peer.ExpectAsync(FrameCode.ContentWritingCompleted, Theirs);
        await peer.SendAsync(FrameCode.Content, Theirs, "bye"u8.ToArray());
        await peer.SendAsync(FrameCode.ContentWritingCompleted, Theirs);
        Assert.Empty(await peer.ExpectAsync(FrameCode.ChannelTerminated, Theirs));
        Assert.Equal("bye"u8.ToArray(), await SessionPair.ReadToEndAsync(channel));
        Assert.Equal(0, peer.Session.ChannelCount);
    }

    [Fact]
    public async Task A_close_is_answered_once_and_nothing_is_said_after_it()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.OfferAsync(1, "x", window: 10);
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, One);
        Task writing = channel.WriteAsync(new byte[100], CancellationToken.None).AsTask();
        Assert.Equal(10, (await peer.ExpectAsync(FrameCode.Content, One)).Length);
        await peer.ExpectAsync(FrameCode.ChannelWindowGrowthRequest, One);
        await peer.SendAsync(FrameCode.ChannelTerminated, One, [0x91, 0xA9, .. "Error: no"u8]);
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => writing.Within());
        Assert.Equal("the peer closed the channel: Error: no", error.Message);
        await peer.ExpectAsync(FrameCode.ChannelTerminated, One);
        await channel.DisposeAsync();
        await AssertAliveAsync(peer);
    }

    [Fact]
    public async Task A_failure_travels_with_its_reason()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.OfferAsync(1, "x");
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, One);
        channel.Abort(new ProxyException(ProxyErrorReason.ConnectionRefused, ProxyStage.Dial, "hop 2", null));
        byte[] payload = await peer.ExpectAsync(FrameCode.ChannelTerminated, One);
        Assert.Equal("ConnectionRefused: connection refused", ControlPayload.ReadError(payload));
    }

    [Fact]
    public async Task Content_beyond_the_window_ends_its_channel_only()
    {
        await using RawPeer peer = await RawPeer.StartAsync(new SessionOptions { Window = 1000, KeepAlive = Timeout.InfiniteTimeSpan });
        await peer.OfferAsync(1, "x");
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        Assert.Equal([0x91, 0xCD, 0x03, 0xE8], await peer.ExpectAsync(FrameCode.OfferAccepted, One));
        await peer.SendAsync(FrameCode.Content, One, new byte[1001]);
        Assert.Equal("ProtocolError: content came for which the window of 1,000 bytes has no room", ControlPayload.ReadError(await peer.ExpectAsync(FrameCode.ChannelTerminated, One)));
        await Assert.ThrowsAsync<ProxyException>(() => channel.ReadAsync(new byte[1], CancellationToken.None).Within());
        await AssertAliveAsync(peer);
    }

    [Fact]
    public async Task Content_before_acceptance_and_behind_the_end_ends_its_channel_only()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.OfferAsync(1, "x");
        await peer.SendAsync(FrameCode.Content, One, 1);
        Assert.StartsWith("ProtocolError: content came", ControlPayload.ReadError(await peer.ExpectAsync(FrameCode.ChannelTerminated, One)), StringComparison.Ordinal);

        SessionChannel mine = peer.Session.Offer("y");
        await peer.ExpectAsync(FrameCode.Offer, Theirs);
        await peer.SendAsync(FrameCode.Content, Theirs, 1);
        Assert.Equal("ProtocolError: content came before the channel was accepted", ControlPayload.ReadError(await peer.ExpectAsync(FrameCode.ChannelTerminated, Theirs)));
        await Assert.ThrowsAsync<ProxyException>(() => mine.Acceptance.Within());

        await peer.OfferAsync(2, "z");
        await peer.Session.AcceptAsync("z", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, RawPeer.Mine(2));
        await peer.SendAsync(FrameCode.ContentWritingCompleted, RawPeer.Mine(2));
        await peer.SendAsync(FrameCode.Content, RawPeer.Mine(2), 1);
        Assert.Equal("ProtocolError: content came behind the end", ControlPayload.ReadError(await peer.ExpectAsync(FrameCode.ChannelTerminated, RawPeer.Mine(2))));
        await AssertAliveAsync(peer);
    }

    [Fact]
    public async Task More_acknowledged_than_sent_ends_its_channel_only()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.OfferAsync(1, "x");
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, One);
        await channel.WriteAsync(new byte[10], CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.Content, One);
        await peer.CountAsync(FrameCode.ContentProcessed, One, 10);
        await peer.CountAsync(FrameCode.ContentProcessed, One, 1);
        Assert.Equal("ProtocolError: 1 bytes were acknowledged, more than were sent", ControlPayload.ReadError(await peer.ExpectAsync(FrameCode.ChannelTerminated, One)));
        await AssertAliveAsync(peer);
    }

    [Fact]
    public async Task Words_about_windows_are_understood()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.OfferAsync(1, "x", window: 10);
        SessionChannel channel = await peer.Session.AcceptAsync("x", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, One);
        Task writing = channel.WriteAsync(new byte[35], CancellationToken.None).AsTask();
        Assert.Equal(10, (await peer.ExpectAsync(FrameCode.Content, One)).Length);
        await peer.ExpectAsync(FrameCode.ChannelWindowGrowthRequest, One);
        // a refusal: the next stall but one asks again
        await peer.CountAsync(FrameCode.ChannelWindowAdjust, One, 10);
        await peer.CountAsync(FrameCode.ContentProcessed, One, 10);
        Assert.Equal(10, (await peer.ExpectAsync(FrameCode.Content, One)).Length);
        await peer.CountAsync(FrameCode.ContentProcessed, One, 10);
        Assert.Equal(10, (await peer.ExpectAsync(FrameCode.Content, One)).Length);
        await peer.ExpectAsync(FrameCode.ChannelWindowGrowthRequest, One);
        await peer.CountAsync(FrameCode.ChannelWindowAdjust, One, 100);
        Assert.Equal(5, (await peer.ExpectAsync(FrameCode.Content, One)).Length);
        await writing.Within();
        // it reads no more: writes fail, and the other direction lives on
        await peer.SendAsync(FrameCode.ContentReadingCompleted, One);
        await peer.ExpectAsync(FrameCode.ContentWritingCompleted, One);
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => channel.WriteAsync(new byte[1], CancellationToken.None).Within());
        Assert.Equal("the peer reads no more", error.Message);
        await peer.SendAsync(FrameCode.Content, One, 1, 2, 3);
        Assert.Equal([1, 2, 3], await ConnectedPair.ReadAsync(channel, 3));
    }

    [Fact]
    public async Task A_peer_that_offers_and_does_not_read_is_left()
    {
        await using RawPeer peer = await RawPeer.StartAsync(new SessionOptions { MaxChannels = 1, KeepAlive = Timeout.InfiniteTimeSpan });
        Task offering = Task.Run(async () =>
        {
            for (int number = 1; ; number++) await peer.OfferAsync(number, "x");
        });
        ProxyException? error = await peer.Session.Completion.Within();
        Assert.Equal("the peer offers channels and does not read the answers", error!.Message);
        await Assert.ThrowsAsync<ProxyException>(() => offering.Within());
    }

    [Fact]
    public async Task Frames_of_many_channels_go_out_in_few_writes()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
        var channels = new List<SessionChannel>();
        for (int i = 0; i < 200; i++) channels.Add((await pair.OpenAsync()).Near);
        // the far side does not answer, and its connection takes what one write holds
        MemoryConnection connection = pair.NearConnection!;
        int before = connection.Writes;
        byte[] large = new byte[60_000];
        await Task.WhenAll(channels.Select(channel => channel.WriteAsync(large, CancellationToken.None).AsTask())).Within();
        Assert.InRange(connection.Writes - before, 1, 200 * 60_000 / (100 * 1024) + 60);
    }

    [Fact]
    public async Task A_session_may_end_at_any_moment()
    {
        for (int round = 0; round < 500; round++)
        {
            await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
            pair.Unwatch();
            SessionChannel channel = pair.Near.Offer("x");
            Task ending = Task.Run(round % 2 == 0 ? pair.Near.Abort : pair.Far.Abort);
            await Assert.ThrowsAsync<ProxyException>(() => channel.Acceptance.Within());
            await ending.Within();
        }
    }

    [Fact]
    public async Task Seeded_channels_are_open_from_the_start()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions { SeededChannels = 2 });
        SessionChannel near = pair.Near.Seeded(1), far = pair.Far.Seeded(1);
        await SessionPair.SendAsync(near, "seeded"u8.ToArray());
        Assert.Equal("seeded"u8.ToArray(), await SessionPair.ReadToEndAsync(far));
        await far.CompleteWritesAsync(CancellationToken.None);
        await Deadline.Until(() => pair.Near.ChannelCount == 1 && pair.Far.ChannelCount == 1, "the channel is closed");
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Near.Seeded(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Near.Seeded(2));
        Assert.Equal(3, pair.Near.Offer("next").Id.Number - 1);
    }

    [Theory]
    [InlineData(MultiplexingVersion.V1, "the peer does not begin with the multiplexing protocol's version 1")]
    [InlineData(MultiplexingVersion.V2, "the peer does not begin with the multiplexing protocol's version 2")]
    public async Task A_peer_that_speaks_something_else_is_named_so(MultiplexingVersion version, string words)
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        await far.WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"), CancellationToken.None);
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => MultiplexedSession.StartAsync(near, new SessionOptions { Version = version }, CancellationToken.None).Within());
        Assert.Equal((ProxyErrorReason.ProtocolError, words), (error.Reason, error.Message));
    }

    [Fact]
    public async Task A_peer_that_says_nothing_does_not_hold_the_handshake()
    {
        (MemoryConnection near, MemoryConnection far) = MemoryConnection.Pair();
        var time = new ManualTime();
        Task<MultiplexedSession> starting = MultiplexedSession.StartAsync(near, new SessionOptions { Version = MultiplexingVersion.V2, Time = time }, CancellationToken.None).AsTask();
        await Deadline.Until(() => far.HasInput, "the handshake was sent");
        time.Advance(TimeSpan.FromSeconds(10));
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => starting.Within());
        Assert.Equal((ProxyErrorReason.TimedOut, "the peer did not begin the multiplexing protocol within 10 s"), (error.Reason, error.Message));
    }

    [Fact]
    public async Task A_connection_that_ends_within_a_frame_was_cut_off()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.SendAsync([0x94]);
        await peer.EndAsync();
        Assert.Equal("the peer closed the connection within a frame", (await peer.Session.Completion.Within())!.Message);
    }

    [Fact]
    public async Task A_connection_that_ends_between_frames_was_closed()
    {
        await using RawPeer peer = await RawPeer.StartAsync();
        await peer.EndAsync();
        Assert.Null(await peer.Session.Completion.Within());
    }

    private static async Task AssertAliveAsync(RawPeer peer)
    {
        await peer.OfferAsync(99, "alive");
        await peer.Session.AcceptAsync("alive", CancellationToken.None).Within();
        await peer.ExpectAsync(FrameCode.OfferAccepted, RawPeer.Mine(99));
    }
}
