using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>Connections over stripes, and what happens to them when stripes are lost, strange or missing.</summary>
public class StripedPipeTests
{
    private static StripedPipeEntryOptions Striped(StripedPipeEntryOptions options) => options with { Framing = StripedPipeFraming.Stripe };

    private static StripedPipeExitOptions Striped(StripedPipeExitOptions options) => options with { Framing = StripedPipeFraming.Stripe };

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Two_hundred_streams_share_four_stripes(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, Striped);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(seed => EchoAsync(pipe, 100_000 + seed, seed)));
        Assert.Equal((200, 204, 200), (pipe.Near.Counters.Accepted, pipe.Far.Counters.Accepted, origin.Accepted));
        Assert.Equal((0, 0), (pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
        Assert.All(pipe.Near.GetStripes(), stripe => Assert.Equal(StripeState.Active, stripe.State));
        Assert.All(pipe.Far.GetStripes(), stripe => Assert.True(stripe.BytesReceived > 1000, $"stripe {stripe.Number} was not used"));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Either_direction_ends_before_the_other(string sockets)
    {
        await using Origin late = Origin.AnswerAfterEnd("the answer"u8.ToArray());
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, late.Endpoint, Striped, Striped);
        using (Client client = await Client.ConnectAsync(pipe.Near.LocalPort))
        {
            await client.SendAsync("question");
            client.EndSending();
            Assert.Equal("the answer"u8.ToArray(), await client.ReadToEndAsync());
        }
        var heard = new TaskCompletionSource<string>();
        await using Origin early = Origin.Of(async socket =>
        {
            await Origin.SendAllAsync(socket, "first"u8.ToArray());
            socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            var buffer = new byte[100];
            string text = "";
            for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;) text += System.Text.Encoding.ASCII.GetString(buffer, 0, count);
            heard.SetResult(text);
        });
        pipe = await Pipe.StartAsync(house, sockets, early.Endpoint, Striped, Striped);
        using (Client client = await Client.ConnectAsync(pipe.Near.LocalPort))
        {
            Assert.Equal("first"u8.ToArray(), await client.ReadToEndAsync());
            await client.SendAsync("then");
            client.EndSending();
            Assert.Equal("then", await heard.Task.Within());
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Lost_stripes_lose_no_byte(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, Striped);
        Client[] clients = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Client.ConnectAsync(pipe.Near.LocalPort)));
        for (int round = 0; round < 12; round++)
        {
            long before = Moved(pipe);
            Task passing = Task.WhenAll(clients.Select((client, i) => PassAsync(client, RandomBytes.Of(3_000_000, (100 * round) + i))));
            await Deadline.Until(() => Moved(pipe) > before + 100_000, "bytes to pass");
            ProxyConnection[] stripes = [];
            await Deadline.Until(() => (stripes = [.. pipe.Far.GetConnections().Where(connection => connection.Protocol == "stripe")]).Length > 0, "a stripe to join");
            stripes[round % stripes.Length].Abort();
            await passing;
        }
        foreach (Client client in clients) client.Dispose();
        Assert.Contains(pipe.Near.Events.ToList(), e => e.Kind == ProxyEventKind.Stripe && e.Message.Contains("lost", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stranger_with_another_key_joins_nothing(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyKey key = ProxyKey.Create();
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, o => Striped(o) with { Key = key }, o => Striped(o) with { Key = key });
        StripedPipeEntry stranger = await Pipe.EntryAsync(house, sockets, pipe.Near.Peer, o => Striped(o) with { Key = ProxyKey.Create() });
        await Client.AssertTurnedAwayAsync(stranger.LocalPort);
        Assert.Contains(stranger.Events.ToList(), e => e.Reason == ProxyErrorReason.AuthenticationFailed && e.Message.Contains("another key was used", StringComparison.Ordinal));
        Assert.Equal(ProxyErrorReason.AuthenticationFailed, (await House.EventAsync(pipe.Far, ProxyEventKind.Refused)).Reason);
        await EchoAsync(pipe, 100_000, 1);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Garbage_is_refused_and_harms_nobody(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, Striped);
        await EchoAsync(pipe, 1000, 1);
        using (Client client = await Client.ConnectAsync(pipe.Far.LocalPort))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: somewhere.example\r\nAccept: everything there is\r\n\r\n");
            Assert.True(await client.IsClosedAsync());
        }
        Assert.Contains("no stripe", (await House.EventAsync(pipe.Far, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        await EchoAsync(pipe, 100_000, 2);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_destination_that_refuses_is_told_of_at_the_near_end(string sockets)
    {
        var closed = new ProxyShell.Engine.Addressing.HostEndpoint("127.0.0.1", Ports.Take());
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, closed, Striped, Striped);
        await Client.AssertTurnedAwayAsync(pipe.Near.LocalPort);
        await Deadline.Until(() => pipe.Near.Counters.Failed == 1, "the near end to note the failure");
        ProxyEvent failed = Assert.Single(pipe.Near.Events.ToList(), e => e.Kind == ProxyEventKind.Failed);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, failed.Reason);
        Assert.Contains(closed.ToString(), failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_far_end_that_is_started_anew_is_found_again(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        int port = Ports.Take();
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, o => Striped(o) with { LocalPort = port });
        await EchoAsync(pipe, 1000, 1);
        string lost = pipe.Near.GetStripes()[0].Pipe;
        await pipe.Far.StopAsync(TimeSpan.Zero);
        StripedPipeExit again = await Pipe.ExitAsync(house, sockets, origin.Endpoint, o => Striped(o) with { LocalPort = port });
        await Deadline.Until(() => pipe.Near.GetStripes() is var stripes && stripes.Any(stripe => stripe.Number > 0) && stripes.All(stripe => stripe.Pipe != lost), "the near end to begin another pipe");
        await EchoAsync(pipe with { Far = again }, 100_000, 2);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Stripes_that_are_not_needed_leave_in_order(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, Striped);
        await Deadline.Until(() => pipe.Far.GetStripes().Count == 4, "four stripes");
        using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
        Task passing = PassAsync(client, RandomBytes.Of(10_000_000));
        pipe.Near.Reconfigure(pipe.Near.Options with { StripeCount = 2 });
        await Deadline.Until(() => pipe.Far.GetStripes().Count == 2, "two stripes to be left");
        await passing;
        pipe.Near.Reconfigure(pipe.Near.Options with { StripeCount = 3 });
        await Deadline.Until(() => pipe.Far.GetStripes().Count == 3, "a third stripe to join");
        client.Dispose();
        await pipe.Near.StopAsync(TimeSpan.FromSeconds(5));
        await House.QuietAsync(pipe.Far);
        Assert.Equal((0, 0), (pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
        Assert.DoesNotContain(pipe.Near.Events.ToList(), e => e.Message.Contains("lost", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_connection_that_is_aborted_at_the_near_end_ends_at_the_far_end_though_the_destination_does_not_read(string sockets)
    {
        var over = new TaskCompletionSource();
        await using Origin deaf = Origin.Of(_ => over.Task);
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, deaf.Endpoint, Striped, Striped);
        using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
        Task stuck = client.SendAsync(RandomBytes.Of(40_000_000));
        await Deadline.Until(() => pipe.Far.GetConnections().Any(connection => connection is { Protocol: not "stripe", BytesSent: > 0 }), "bytes to reach the destination");
        Assert.Single(pipe.Near.GetConnections(), connection => connection.Protocol != "stripe").Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => stuck);
        await Deadline.Until(() => pipe.Far.GetConnections().All(connection => connection.Protocol == "stripe"), "the far end to let the destination go");
        over.SetResult();
    }

    private static async Task EchoAsync(Pipe pipe, int length, int seed)
    {
        byte[] bytes = RandomBytes.Of(length, seed);
        using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
        Task<byte[]> reading = client.ReadToEndAsync();
        await client.SendAsync(bytes);
        client.EndSending();
        Assert.Equal(bytes, await reading);
    }

    private static long Moved(Pipe pipe) => pipe.Near.GetConnections().Sum(connection => connection.BytesReceived);

    private static async Task PassAsync(Client client, byte[] bytes)
    {
        Task<byte[]> reading = client.ReadAsync(bytes.Length);
        await client.SendAsync(bytes);
        Assert.Equal(bytes, await reading);
    }
}
