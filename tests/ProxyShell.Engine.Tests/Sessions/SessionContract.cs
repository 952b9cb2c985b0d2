using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>What sessions and channels must do in every version of the protocol, over memory and over real sockets.</summary>
public abstract class SessionContract(MultiplexingVersion version)
{
    public static TheoryData<string> Carriers => SessionPair.Carriers;

    private protected SessionOptions Options { get; } = new() { Version = version };

    private bool HasTexts => version != MultiplexingVersion.V1;

    private protected Task<SessionPair> PairAsync(string carrier = SessionPair.Memory, SessionOptions? near = null, SessionOptions? far = null) =>
        SessionPair.StartAsync(carrier, near ?? Options, far ?? near ?? Options);

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task Bytes_pass_both_ways_at_once(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("bulk");
        byte[] there = RandomBytes.Of(8_000_000, seed: 1), back = RandomBytes.Of(8_000_000, seed: 2);
        Task<byte[]> nearReads = SessionPair.ReadToEndAsync(near), farReads = SessionPair.ReadToEndAsync(far);
        await Task.WhenAll(SessionPair.SendAsync(near, there), SessionPair.SendAsync(far, back)).Within(60);
        Assert.Equal(there, await farReads);
        Assert.Equal(back, await nearReads);
        await pair.EmptyAsync();
        Assert.Equal((there.Length, back.Length), (pair.Near.BytesSent, pair.Near.BytesReceived));
        Assert.Equal((1, 0), (pair.Near.OfferedCount, pair.Near.AcceptedCount));
        Assert.Equal((0, 1), (pair.Far.OfferedCount, pair.Far.AcceptedCount));
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task An_end_one_way_leaves_the_other(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        await SessionPair.SendAsync(near, "last words"u8.ToArray());
        Assert.Equal("last words"u8.ToArray(), await SessionPair.ReadToEndAsync(far));
        Assert.Equal(0, await far.ReadAsync(new byte[1], CancellationToken.None).Within());
        await far.WriteAsync("ans"u8.ToArray(), CancellationToken.None).Within();
        await SessionPair.SendAsync(far, "wer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await SessionPair.ReadToEndAsync(near));
        await pair.EmptyAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => near.WriteAsync(new byte[1], CancellationToken.None).Within());
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task Hundreds_of_channels_at_once_keep_their_bytes_apart(string carrier)
    {
        const int count = 300;
        await using SessionPair pair = await PairAsync(carrier);
        Task echoing = Task.Run(async () =>
        {
            var echoes = new List<Task>();
            for (int i = 0; i < count; i++) echoes.Add(EchoAsync((await pair.Far.NextOfferAsync(CancellationToken.None).Within()).Accept()));
            await Task.WhenAll(echoes);
        });
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(async () =>
        {
            byte[] sent = RandomBytes.Of(i * 97 % 50_000, seed: i);
            SessionChannel channel = await pair.Near.OfferAsync($"channel {i}", CancellationToken.None).Within();
            Task<byte[]> reading = SessionPair.ReadToEndAsync(channel);
            await SessionPair.SendAsync(channel, sent, part: 7000);
            Assert.Equal(sent, await reading);
        }))).Within(60);
        await echoing.Within();
        await pair.EmptyAsync();
    }

    [Fact]
    public async Task Either_side_may_offer()
    {
        await using SessionPair pair = await PairAsync();
        for (int round = 0; round < 3; round++)
        {
            Task<SessionChannel> mine = pair.Near.OfferAsync("same", CancellationToken.None), theirs = pair.Far.OfferAsync("same", CancellationToken.None);
            SessionChannel nearAccepted = await pair.Near.AcceptAsync("same", CancellationToken.None).Within(), farAccepted = await pair.Far.AcceptAsync("same", CancellationToken.None).Within();
            Assert.Equal((await mine.Within()).Id, farAccepted.Id.Flipped);
            Assert.Equal((await theirs.Within()).Id, nearAccepted.Id.Flipped);
            Assert.NotEqual((await mine).Id, nearAccepted.Id);
        }
    }

    [Fact]
    public async Task Offers_of_one_name_are_accepted_in_their_order()
    {
        await using SessionPair pair = await PairAsync();
        SessionChannel first = pair.Near.Offer("x"), other = pair.Near.Offer("y"), second = pair.Near.Offer("x");
        Assert.Equal(first.Id, (await pair.Far.AcceptAsync("x", CancellationToken.None).Within()).Id.Flipped);
        Assert.Equal(second.Id, (await pair.Far.AcceptAsync("x", CancellationToken.None).Within()).Id.Flipped);
        ChannelOffer left = await pair.Far.NextOfferAsync(CancellationToken.None).Within();
        Assert.Equal((other.Id, "y"), (left.Id.Flipped, left.Name));
        left.Accept();
        await other.Acceptance.Within();
        Assert.Throws<ProxyException>(() => left.Accept());
    }

    [Fact]
    public async Task An_anonymous_channel_is_accepted_by_its_number()
    {
        await using SessionPair pair = await PairAsync();
        SessionChannel near = pair.Near.Offer("");
        // nothing is sent before the channel is accepted
        Task writing = near.WriteAsync("early"u8.ToArray(), CancellationToken.None).AsTask();
        await Deadline.Until(() => pair.Far.ChannelCount == 1, "the offer has come");
        Assert.False(writing.IsCompleted);
        Assert.Throws<ProxyException>(() => pair.Far.Accept(near.Id.Number + 2));
        SessionChannel far = pair.Far.Accept(near.Id.Number);
        await writing.Within();
        await near.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal("early"u8.ToArray(), await SessionPair.ReadToEndAsync(far));
    }

    [Fact]
    public async Task A_rejection_says_why()
    {
        await using SessionPair pair = await PairAsync();
        Task<SessionChannel> offered = pair.Near.OfferAsync("no", CancellationToken.None);
        ChannelOffer offer = await pair.Far.NextOfferAsync(CancellationToken.None).Within();
        offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Policy, null, "not for you"));
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => offered.Within());
        Assert.Equal(HasTexts ? (ProxyErrorReason.Forbidden, "not for you") : (ProxyErrorReason.ConnectionRefused, "the peer rejected the channel"), (error.Reason, error.Detail));
        Assert.Throws<ProxyException>(() => offer.Accept());
        await pair.EmptyAsync();
    }

    [Fact]
    public async Task An_offer_can_be_withdrawn()
    {
        await using SessionPair pair = await PairAsync();
        using var cancel = new CancellationTokenSource();
        Task<SessionChannel> offered = pair.Near.OfferAsync("never", cancel.Token);
        ChannelOffer offer = await pair.Far.NextOfferAsync(CancellationToken.None).Within();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => offered.Within());
        await pair.EmptyAsync();
        Assert.Throws<ProxyException>(() => offer.Accept());
        await AssertAliveAsync(pair);
    }

    [Fact]
    public async Task Acceptance_and_withdrawal_may_cross()
    {
        await using SessionPair pair = await PairAsync();
        for (int round = 0; round < 200; round++)
        {
            using var cancel = new CancellationTokenSource();
            Task<SessionChannel> offered = pair.Near.OfferAsync("race", cancel.Token);
            ChannelOffer offer = await pair.Far.NextOfferAsync(CancellationToken.None).Within();
            Task cancelling = Task.Run(cancel.Cancel);
            try
            {
                await using SessionChannel far = offer.Accept();
                await far.WriteAsync("x"u8.ToArray(), CancellationToken.None).Within();
            }
            catch (ProxyException)
            {
                // the withdrawal was first
            }
            try
            {
                await using SessionChannel near = await offered.Within();
            }
            catch (OperationCanceledException)
            {
                // it was in time
            }
            await cancelling.Within();
        }
        await pair.EmptyAsync();
        await AssertAliveAsync(pair);
    }

    [Fact]
    public async Task Waiting_for_an_offer_can_be_cancelled()
    {
        await using SessionPair pair = await PairAsync();
        using var cancel = new CancellationTokenSource();
        Task<SessionChannel> accepting = pair.Far.AcceptAsync("x", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting.Within());
        await pair.OpenAsync("x");
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task An_abort_is_seen_as_a_failure(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        Task<int> reading = near.ReadAsync(new byte[10], CancellationToken.None).AsTask();
        near.Abort(new ProxyException(ProxyErrorReason.IdleTimeout, ProxyStage.Relay, null, "nothing moved"));
        await Assert.ThrowsAsync<ProxyException>(() => reading.Within());
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => SessionPair.ReadToEndAsync(far));
        Assert.Equal(HasTexts ? (ProxyErrorReason.IdleTimeout, "nothing moved") : (ProxyErrorReason.ConnectionReset, "the peer closed the channel"), (error.Reason, error.Detail));
        await Assert.ThrowsAsync<ProxyException>(() => far.WriteAsync(new byte[1], CancellationToken.None).Within());
        await Assert.ThrowsAsync<ProxyException>(() => near.WriteAsync(new byte[1], CancellationToken.None).Within());
        await Assert.ThrowsAsync<ProxyException>(() => far.CompleteWritesAsync(CancellationToken.None).Within());
        await pair.EmptyAsync();
        await AssertAliveAsync(pair);
    }

    [Fact]
    public async Task What_came_before_a_failure_can_be_read()
    {
        await using SessionPair pair = await PairAsync();
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        await near.WriteAsync("abc"u8.ToArray(), CancellationToken.None).Within();
        near.Abort();
        await pair.EmptyAsync();
        Assert.Equal("abc"u8.ToArray(), await ConnectedPair.ReadAsync(far, 3));
        await Assert.ThrowsAsync<ProxyException>(() => far.ReadAsync(new byte[1], CancellationToken.None).Within());
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task What_was_written_before_closing_arrives(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        byte[] sent = RandomBytes.Of(300_000);
        Task<byte[]> reading = SessionPair.ReadToEndAsync(far);
        await near.WriteAsync(sent, CancellationToken.None).Within();
        await near.DisposeAsync();
        Assert.Equal(sent, await reading);
        await pair.EmptyAsync();
    }

    [Fact]
    public async Task Writing_to_a_closed_channel_fails_and_its_session_lives()
    {
        await using SessionPair pair = await PairAsync();
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        await far.DisposeAsync();
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(async () =>
        {
            while (true) await near.WriteAsync(new byte[1000], CancellationToken.None).Within();
        });
        Assert.Equal((ProxyErrorReason.ConnectionReset, "the peer closed the channel"), (error.Reason, error.Detail));
        await pair.EmptyAsync();
        await AssertAliveAsync(pair);
    }

    [Fact]
    public async Task An_empty_read_waits_for_bytes_and_takes_none()
    {
        await using SessionPair pair = await PairAsync();
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            Task<int> waiting = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
            Assert.False(waiting.IsCompleted);
            await far.WriteAsync("ab"u8.ToArray(), CancellationToken.None).Within();
            Assert.Equal(0, await waiting.Within());
            Assert.Equal(0, await near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).Within());
            Assert.Equal("ab"u8.ToArray(), await ConnectedPair.ReadAsync(near, 2));
        }
        Task<int> last = near.ReadAsync(Memory<byte>.Empty, CancellationToken.None).AsTask();
        await far.CompleteWritesAsync(CancellationToken.None);
        Assert.Equal(0, await last.Within());
        Assert.Equal(0, await near.ReadAsync(new byte[1], CancellationToken.None).Within());
    }

    [Fact]
    public async Task A_cancelled_read_takes_nothing()
    {
        await using SessionPair pair = await PairAsync();
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        byte[] sent = RandomBytes.Of(2000);
        Task writing = Task.Run(async () =>
        {
            for (int at = 0; at < sent.Length; at += 10) await far.WriteAsync(sent.AsMemory(at, 10), CancellationToken.None).Within();
        });
        var got = new MemoryStream();
        for (int round = 0; got.Length < sent.Length; round++)
        {
            using var cancel = new CancellationTokenSource();
            var buffer = new byte[7];
            Task<int> reading = near.ReadAsync(round % 2 == 0 ? buffer : Memory<byte>.Empty, cancel.Token).AsTask();
            await cancel.CancelAsync();
            try
            {
                got.Write(buffer, 0, await reading.Within());
            }
            catch (OperationCanceledException)
            {
                // so nothing was taken
            }
        }
        await writing.Within();
        Assert.Equal(sent, got.ToArray());
    }

    [Fact]
    public async Task Too_many_channels_are_refused_on_both_sides()
    {
        await using SessionPair pair = await PairAsync(SessionPair.Memory, Options, Options with { MaxChannels = 2 });
        SessionChannel kept = pair.Near.Offer("a");
        await pair.Far.AcceptAsync("a", CancellationToken.None).Within();
        await kept.Acceptance.Within();
        SessionChannel waits = pair.Near.Offer("b"), tooMany = pair.Near.Offer("c");
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => tooMany.Acceptance.Within());
        if (HasTexts) Assert.Equal((ProxyErrorReason.LimitExceeded, "the session has 2 channels, which is as many as it may have"), (error.Reason, error.Detail));
        await Deadline.Until(() => pair.Near.ChannelCount == 2, "the refused channel's place is free");
        error = Assert.Throws<ProxyException>(() => FillUp(pair.Far));
        Assert.Equal("the session has 2 channels, which is as many as it may have", error.Message);
        await waits.DisposeAsync();
        await Deadline.Until(() => pair.Far.ChannelCount == 1, "the withdrawn channel's place is free");
    }

    [Fact]
    public async Task Too_many_offers_are_refused()
    {
        await using SessionPair pair = await PairAsync(SessionPair.Memory, Options, Options with { MaxPendingOffers = 1 });
        SessionChannel first = pair.Near.Offer("a"), second = pair.Near.Offer("b");
        ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => second.Acceptance.Within());
        if (HasTexts) Assert.Equal((ProxyErrorReason.LimitExceeded, "1 offers wait to be accepted, which is as many as may"), (error.Reason, error.Detail));
        await pair.Far.AcceptAsync("a", CancellationToken.None).Within();
        await first.Acceptance.Within();
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task Channels_fail_with_their_session(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        Task<SessionChannel> accepting = pair.Near.AcceptAsync("x", CancellationToken.None), offering = pair.Near.OfferAsync("y", CancellationToken.None);
        Task<int> reading = near.ReadAsync(new byte[1], CancellationToken.None).AsTask();
        await pair.Far.DisposeAsync().Within();
        foreach (Task task in new Task[] { accepting, offering, reading })
        {
            ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => task.Within());
            Assert.Equal((ProxyErrorReason.ConnectionClosed, "the peer closed the session"), (error.Reason, error.Detail));
        }
        ProxyException closed = await Assert.ThrowsAsync<ProxyException>(() => far.ReadAsync(new byte[1], CancellationToken.None).Within());
        Assert.Equal("the session was closed", closed.Detail);
        Assert.Throws<ProxyException>(() => pair.Near.Offer("z"));
        await Assert.ThrowsAsync<ProxyException>(() => pair.Near.NextOfferAsync(CancellationToken.None).Within());
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task An_aborted_session_ends_the_other_with_a_reason(string carrier)
    {
        await using SessionPair pair = await PairAsync(carrier);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        pair.Far.Abort();
        await Assert.ThrowsAsync<ProxyException>(() => near.ReadAsync(new byte[1], CancellationToken.None).Within());
        await Assert.ThrowsAsync<ProxyException>(() => far.ReadAsync(new byte[1], CancellationToken.None).Within());
        Assert.Equal(ProxyErrorReason.Aborted, (await pair.Far.Completion.Within())!.Reason);
        Assert.Equal(ProxyErrorReason.ConnectionReset, (await pair.Near.Completion.Within())!.Reason);
        pair.Unwatch();
    }

    [Fact]
    public async Task Draining_refuses_what_is_new_and_waits_for_what_is_open()
    {
        await using SessionPair pair = await PairAsync();
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync();
        SessionChannel waiting = pair.Near.Offer("waiting");
        await Deadline.Until(() => pair.Far.ChannelCount == 2, "the offer has come");
        Task drained = pair.Far.DrainAsync(new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Relay));
        foreach (SessionChannel refused in new[] { waiting, pair.Near.Offer("late") })
        {
            ProxyException error = await Assert.ThrowsAsync<ProxyException>(() => refused.Acceptance.Within());
            if (HasTexts) Assert.Equal(ProxyErrorReason.Stopping, error.Reason);
        }
        await SessionPair.SendAsync(near, "still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await SessionPair.ReadToEndAsync(far));
        Assert.False(drained.IsCompleted);
        await far.CompleteWritesAsync(CancellationToken.None);
        await drained.Within();
    }

    [Fact]
    public async Task Names_may_be_long_and_of_any_characters()
    {
        await using SessionPair pair = await PairAsync();
        foreach (string name in new[] { "", "ü€😀", new string('x', 40), new string('y', 300), new string('z', ControlPayload.MaxName) })
        {
            SessionChannel near = pair.Near.Offer(name);
            Assert.Equal(name, (await pair.Far.AcceptAsync(name, CancellationToken.None).Within()).Name);
            await near.Acceptance.Within();
        }
        Assert.Throws<ArgumentException>(() => pair.Near.Offer(new string('z', ControlPayload.MaxName + 1)));
    }

    private protected static async Task AssertAliveAsync(SessionPair pair)
    {
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("alive");
        await SessionPair.SendAsync(near, "alive"u8.ToArray());
        Assert.Equal("alive"u8.ToArray(), await SessionPair.ReadToEndAsync(far));
        await far.DisposeAsync();
        await pair.EmptyAsync();
    }

    private static void FillUp(MultiplexedSession session)
    {
        for (int i = 0; i < 10; i++) session.Offer("x");
    }

    private static async Task EchoAsync(SessionChannel channel)
    {
        var buffer = new byte[3000];
        int count;
        while ((count = await channel.ReadAsync(buffer, CancellationToken.None).Within()) > 0) await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None).Within();
        await channel.CompleteWritesAsync(CancellationToken.None);
    }
}
