using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>A channel that is relayed to a socket: what comes goes straight on while the socket takes it, and waits for the relay when it does not.</summary>
public class ChannelRelayTests
{
    public static TheoryData<string> All => Sockets.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_socket_that_stalls_gets_everything_in_the_end_and_holds_nobody_up(string sockets)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions());
        await using var ends = new ConnectedPair(sockets);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("stalls");
        (DuplexConnection socket, DuplexConnection reader) = await ends.ConnectAsync();
        var traffic = new Traffic();
        Task<ProxyException?> relay = Relay.RunAsync(far, socket, traffic).AsTask();
        byte[] sent = RandomBytes.Of(40_000_000);
        Task sending = SessionPair.SendAsync(near, sent);

        (SessionChannel other, SessionChannel otherFar) = await pair.OpenAsync("other");
        byte[] beside = RandomBytes.Of(3_000_000, seed: 2);
        Task sendingBeside = SessionPair.SendAsync(other, beside);
        Assert.Equal(beside, await SessionPair.ReadToEndAsync(otherFar));
        await sendingBeside.Within();
        Assert.False(sending.IsCompleted);

        Assert.Equal(sent, await ConnectedPair.ReadToEndAsync(reader));
        await sending.Within();
        await SessionPair.SendAsync(reader, "and back"u8.ToArray());
        Assert.Equal("and back"u8.ToArray(), await SessionPair.ReadToEndAsync(near));
        Assert.Null(await relay.Within());
        Assert.Equal((sent.Length, 8), (traffic.BytesSent, traffic.BytesReceived));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Channels_side_by_side_keep_their_bytes_apart(string sockets)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions { Window = 30_000 });
        await using var ends = new ConnectedPair(sockets);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async number =>
        {
            (SessionChannel near, SessionChannel far) = await pair.OpenAsync($"number {number}");
            DuplexConnection socket, reader;
            // whoever connects first is accepted first
            lock (ends) (socket, reader) = ends.ConnectAsync().GetAwaiter().GetResult();
            Task<ProxyException?> relay = Relay.RunAsync(socket, far, new Traffic()).AsTask();
            byte[] sent = RandomBytes.Of(700_000 + number, seed: number);
            Task sending = SessionPair.SendAsync(near, sent, part: number % 2 == 0 ? 999 : 50_000);
            Assert.Equal(sent, await ConnectedPair.ReadToEndAsync(reader));
            await sending.Within();
            await reader.CompleteWritesAsync(CancellationToken.None);
            Assert.Null(await relay.Within());
        }));
        await pair.EmptyAsync();
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_socket_that_breaks_fails_its_channel_and_no_other(string sockets)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions());
        await using var ends = new ConnectedPair(sockets);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("breaks");
        (DuplexConnection socket, DuplexConnection reader) = await ends.ConnectAsync();
        Task<ProxyException?> relay = Relay.RunAsync(far, socket, new Traffic()).AsTask();
        Task sending = SessionPair.SendAsync(near, new byte[100_000_000]);
        await ConnectedPair.ReadAsync(reader, 1_000_000);
        reader.Abort();

        ProxyException? failure = await relay.Within();
        Assert.Equal((ProxyErrorReason.ConnectionReset, ProxySide.Upstream), (failure!.Reason, failure.Side));
        await Assert.ThrowsAsync<ProxyException>(() => sending.Within());
        (SessionChannel other, SessionChannel otherFar) = await pair.OpenAsync("other");
        Task sendingBeside = SessionPair.SendAsync(other, "fine"u8.ToArray());
        Assert.Equal("fine"u8.ToArray(), await SessionPair.ReadToEndAsync(otherFar));
        await sendingBeside.Within();
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_channel_that_breaks_ends_its_relay_though_the_socket_takes_nothing(string sockets)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions());
        await using var ends = new ConnectedPair(sockets);
        (SessionChannel near, SessionChannel far) = await pair.OpenAsync("breaks");
        (DuplexConnection socket, _) = await ends.ConnectAsync();
        var traffic = new Traffic();
        Task<ProxyException?> relay = Relay.RunAsync(far, socket, traffic).AsTask();
        Task sending = SessionPair.SendAsync(near, new byte[100_000_000]);
        await Deadline.Until(() => traffic.BytesSent > 0, "bytes to be on the way");
        near.Abort();

        ProxyException? failure = await relay.Within();
        Assert.Equal((ProxyErrorReason.ConnectionReset, ProxySide.Client), (failure!.Reason, failure.Side));
        await Assert.ThrowsAsync<ProxyException>(() => sending.Within());
        await pair.EmptyAsync();
    }
}
