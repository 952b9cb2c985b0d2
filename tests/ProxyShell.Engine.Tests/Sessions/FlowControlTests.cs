using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Windows: what waits for a reader is bounded, a stalled reader costs nobody else, and windows grow with what is really read.</summary>
public class FlowControlTests
{
    public static TheoryData<MultiplexingVersion> Versions => new(MultiplexingVersion.V2, MultiplexingVersion.V3);

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_writer_waits_for_the_reader(MultiplexingVersion version)
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions { Version = version, Window = 50_000 });
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        byte[] sent = RandomBytes.Of(200_000);
        Task writing = SessionPair.SendAsync(near, sent, part: 200_000);
        await Deadline.Until(() => pair.Far.BytesReceived == 50_000, "the window is full");
        Assert.False(writing.IsCompleted);
        Assert.Equal(50_000, pair.Near.BytesSent);
        Assert.Equal(sent, await SessionPair.ReadToEndAsync(far));
        await writing.Within();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_stalled_reader_costs_only_its_own_channel(MultiplexingVersion version)
    {
        await using SessionPair pair = await SessionPair.StartAsync(Sockets.Portable, new SessionOptions { Version = version });
        (SessionChannel stalled, _) = await pair.OpenAsync("stalled");
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("other");
        Task writing = stalled.WriteAsync(new byte[10_000_000], CancellationToken.None).AsTask();
        byte[] sent = RandomBytes.Of(20_000_000);
        Task sending = SessionPair.SendAsync(near, sent);
        Assert.Equal(sent, await SessionPair.ReadToEndAsync(far));
        await sending.Within();
        Assert.False(writing.IsCompleted);
        stalled.Abort();
        await Assert.ThrowsAsync<ProxyException>(() => writing.Within());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(20_480)]
    [InlineData(20_481)]
    public async Task Windows_of_any_size_carry_everything(int window)
    {
        var options = new SessionOptions { Window = window, MaxWindow = window };
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, options);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        byte[] sent = RandomBytes.Of(window < 1000 ? 3000 : 300_000);
        Task writing = SessionPair.SendAsync(near, sent);
        Assert.Equal(sent, await SessionPair.ReadToEndAsync(far, bufferLength: 999));
        await writing.Within();
    }

    [Fact]
    public async Task A_cancelled_write_leaves_a_channel_that_works()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions { Window = 1000, MaxWindow = 1000 });
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        using var cancel = new CancellationTokenSource();
        Task writing = near.WriteAsync(new byte[5000], cancel.Token).AsTask();
        await Deadline.Until(() => pair.Far.BytesReceived == 1000, "the window is full");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.Within());
        Task sending = SessionPair.SendAsync(near, "after"u8.ToArray());
        byte[] got = await SessionPair.ReadToEndAsync(far);
        await sending.Within();
        Assert.Equal([.. new byte[1000], .. "after"u8], got);
    }

    [Fact]
    public async Task A_window_grows_when_the_round_trip_is_what_limits()
    {
        var link = new DelayedPair(TimeSpan.FromMilliseconds(20));
        var options = new SessionOptions { Window = 30_000, MaxWindow = 1_000_000 };
        await using MultiplexedSession near = await MultiplexedSession.StartAsync(link.Near, options, CancellationToken.None);
        await using MultiplexedSession far = await MultiplexedSession.StartAsync(link.Far, options, CancellationToken.None);
        Task<SessionChannel> accepting = far.AcceptAsync("", CancellationToken.None);
        SessionChannel sender = await near.OfferAsync("", CancellationToken.None).Within(), reader = await accepting.Within();
        byte[] sent = RandomBytes.Of(20_000_000);
        Task sending = sender.WriteAsync(sent, CancellationToken.None).AsTask();
        Assert.Equal(sent, await ConnectedPair.ReadAsync(reader, sent.Length));
        await sending.Within();
        Assert.InRange(reader.Window, 200_000, 1_000_000);
        Assert.InRange(near.RoundTrip!.Value, TimeSpan.FromMilliseconds(30), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void A_window_stays_small_where_the_link_is_what_limits()
    {
        // 1 MB a second over a round trip of 10 ms: 10,000 bytes are under way
        var time = new ManualTime();
        var trip = new RoundTrip(time);
        trip.Observe(0, TimeSpan.FromMilliseconds(10).Ticks);
        var window = new ReceiveWindow(1 << 24, new WindowBudget(1 << 30), trip, time);
        window.Open(8000);
        for (int i = 0; i < 1000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(window.TryReceive(1000));
            window.Ask();
            window.Take(1000, peerGrows: true);
        }
        Assert.InRange(window.Size, 10_000, 30_000);
    }

    [Fact]
    public void Less_is_under_way_on_a_quick_link_beside_a_channel_with_little_to_say()
    {
        // 1 GB a second: what the reader takes within 0.3 ms is more than the link needs, and saves processor time
        var time = new ManualTime();
        var trip = new RoundTrip(time);
        var budget = new WindowBudget(1 << 30);
        trip.Observe(0, TimeSpan.FromMicroseconds(10).Ticks);
        ReceiveWindow bulk = new(1 << 24, budget, trip, time), other = new(1 << 24, budget, trip, time);
        bulk.Open(100_000);
        Pass(500);
        Assert.InRange(bulk.Room, 450_000, 700_000);
        other.TryReceive(100);
        Pass(500);
        Assert.Equal(100_000, bulk.Room);

        void Pass(int times)
        {
            for (int i = 0; i < times; i++)
            {
                time.Advance(TimeSpan.FromMicroseconds(100));
                bulk.TryReceive(98_000);
                bulk.TryReceive(2000);
                bulk.Take(100_000, peerGrows: true);
            }
        }
    }

    [Fact]
    public void What_may_be_under_way_becomes_less_when_the_reader_takes_less()
    {
        var time = new ManualTime();
        var trip = new RoundTrip(time);
        trip.Observe(0, TimeSpan.FromMilliseconds(10).Ticks);
        var window = new ReceiveWindow(1 << 24, new WindowBudget(1 << 30), trip, time);
        window.Open(20_000);
        Run(10_000, milliseconds: 150);
        Assert.InRange(window.Room, 30_000, 60_000);
        long size = window.Size;
        Run(100, milliseconds: 2000);
        // the size was promised; what the peer is told holds it back
        Assert.Equal(size, window.Size);
        Assert.Equal(20_000, window.Room);

        void Run(int perMillisecond, int milliseconds)
        {
            for (int i = 0; i < milliseconds; i++)
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
                Assert.True(window.TryReceive(perMillisecond));
                window.Take(perMillisecond, peerGrows: true);
            }
        }
    }

    [Fact]
    public void A_reader_that_stalls_gets_no_larger_window()
    {
        var time = new ManualTime();
        var trip = new RoundTrip(time);
        trip.Observe(0, TimeSpan.FromMilliseconds(1).Ticks);
        var window = new ReceiveWindow(1 << 24, new WindowBudget(1 << 30), trip, time);
        window.Open(100_000);
        for (int i = 0; i < 20; i++)
        {
            Assert.True(window.TryReceive(100_000));
            window.Ask();
            time.Advance(TimeSpan.FromSeconds(1));
            Grant grant = window.Take(100_000, peerGrows: true);
            Assert.Equal((100_000, 100_000), (grant.Bytes, grant.Window));
        }
    }

    [Fact]
    public void A_peer_that_does_not_know_of_growth_is_not_told_of_it()
    {
        var time = new ManualTime();
        var trip = new RoundTrip(time);
        trip.Observe(0, TimeSpan.FromMilliseconds(10).Ticks);
        var window = new ReceiveWindow(1 << 24, new WindowBudget(1 << 30), trip, time);
        window.Open(100_000);
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            Assert.True(window.TryReceive(100_000));
            Assert.Equal(new Grant(100_000, 0), window.Take(100_000, peerGrows: false));
        }
    }

    [Fact]
    public async Task What_is_read_after_the_close_claims_no_window()
    {
        var time = new ManualTime();
        var options = new SessionOptions { Time = time, KeepAlive = Timeout.InfiniteTimeSpan };
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, options);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        await LetGrowAsync(pair, far);
        pair.Far.NoteRoundTrip(time.GetTimestamp());
        await near.WriteAsync(new byte[100_000], CancellationToken.None).Within();
        near.Abort();
        await pair.EmptyAsync();
        time.Advance(TimeSpan.FromMilliseconds(1));
        await ConnectedPair.ReadAsync(far, 100_000);
        Assert.Equal(0, pair.Far.Windows);
    }

    [Fact]
    public async Task Without_windows_a_stalled_reader_stalls_the_session_until_it_reads_or_ends()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions { Version = MultiplexingVersion.V1, Window = 50_000 });
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        (SessionChannel second, SessionChannel secondFar) = await pair.OpenAsync("second");
        byte[] sent = RandomBytes.Of(4_000_000);
        Task writing = SessionPair.SendAsync(near, sent);
        await Deadline.Until(() => pair.Far.BytesReceived >= 50_000, "the channel is full");
        Assert.False(writing.IsCompleted);
        Assert.InRange(pair.Far.BytesReceived, 50_000, 50_000 + FrameCodec.MaxPayload);
        Task<byte[]> reading = SessionPair.ReadToEndAsync(far);
        Assert.Equal(sent, await reading);
        await writing.Within();

        writing = second.WriteAsync(sent, CancellationToken.None).AsTask();
        await Deadline.Until(() => pair.Far.BytesReceived >= sent.Length + 50_000, "the second channel is full");
        secondFar.Abort();
        await Assert.ThrowsAsync<ProxyException>(() => writing.Within());
    }

    [Fact]
    public async Task Without_windows_a_session_ends_while_a_reader_stalls()
    {
        await using SessionPair pair = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions { Version = MultiplexingVersion.V1, Window = 50_000 });
        (SessionChannel near, _) = await pair.OpenAsync();
        Task writing = near.WriteAsync(RandomBytes.Of(4_000_000), CancellationToken.None).AsTask();
        await Deadline.Until(() => pair.Far.BytesReceived >= 50_000, "the channel is full");
        pair.Far.Abort();
        Assert.Equal(ProxyErrorReason.Aborted, (await pair.Far.Completion.Within())!.Reason);
        await pair.Far.DisposeAsync().Within();
        await Assert.ThrowsAsync<ProxyException>(() => writing.Within());
        pair.Unwatch();
    }

    [Fact]
    public void Windows_share_a_budget()
    {
        var budget = new WindowBudget(300_000);
        Assert.Equal(200_000, budget.Begin(200_000));
        Assert.Equal(WindowBudget.Least, budget.Begin(200_000));
        Assert.Equal(64, budget.Begin(64));
        Assert.False(budget.TryGrow(100_000));
        Assert.True(budget.TryGrow(50_000));
        budget.GiveBack(250_000);
        Assert.Equal(WindowBudget.Least + 64, budget.Used);
    }

    [Fact]
    public async Task A_relay_carries_a_channel_like_any_other_connection()
    {
        await using SessionPair left = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
        await using SessionPair right = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
        (SessionChannel client, SessionChannel inbound) = await left.OpenAsync();
        (SessionChannel outbound, SessionChannel destination) = await right.OpenAsync();
        var traffic = new Traffic();
        Task<ProxyException?> relaying = Relay.RunAsync(inbound, outbound, traffic).AsTask();
        byte[] sent = RandomBytes.Of(5_000_000), answer = RandomBytes.Of(3_000_000, seed: 2);
        Task sending = SessionPair.SendAsync(client, sent);
        Assert.Equal(sent, await SessionPair.ReadToEndAsync(destination));
        await sending.Within();
        Task answering = SessionPair.SendAsync(destination, answer);
        Assert.Equal(answer, await SessionPair.ReadToEndAsync(client));
        await answering.Within();
        Assert.Null(await relaying.Within());
        Assert.Equal((sent.Length, answer.Length), (traffic.BytesSent, traffic.BytesReceived));
        await left.EmptyAsync();
        await right.EmptyAsync();
    }

    [Fact]
    public async Task A_relay_passes_a_failure_on()
    {
        await using SessionPair left = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
        await using SessionPair right = await SessionPair.StartAsync(SessionPair.Memory, new SessionOptions());
        (SessionChannel client, SessionChannel inbound) = await left.OpenAsync();
        (SessionChannel outbound, SessionChannel destination) = await right.OpenAsync();
        Task<ProxyException?> relaying = Relay.RunAsync(inbound, outbound, new Traffic()).AsTask();
        destination.Abort(new ProxyException(ProxyErrorReason.IdleTimeout, ProxyStage.Relay));
        await Assert.ThrowsAsync<ProxyException>(() => client.ReadAsync(new byte[1], CancellationToken.None).Within());
        ProxyException? error = await relaying.Within();
        Assert.Equal((ProxyErrorReason.IdleTimeout, ProxySide.Upstream), (error!.Reason, error.Side));
    }

    // a sender that was stalled once has shown that it knows how windows grow
    private static async Task LetGrowAsync(SessionPair pair, SessionChannel far)
    {
        (SessionChannel other, _) = await pair.OpenAsync("other");
        Task stalled = other.WriteAsync(new byte[200_000], CancellationToken.None).AsTask();
        await Deadline.Until(() => far.PeerGrows, "the peer asks for growth");
        other.Abort();
        await Assert.ThrowsAsync<ProxyException>(() => stalled.Within());
    }
}
