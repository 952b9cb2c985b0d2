using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>UDP over stripes: a stream for each client, in which every message is a datagram; and what a far end allows of streams.</summary>
public class StripedDatagramTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Datagrams_of_all_lengths_go_there_and_back_for_several_clients(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await StartAsync(house, sockets, origin.Endpoint);
        DatagramClient[] clients = [.. Enumerable.Range(0, 5).Select(_ => new DatagramClient(pipe.Near.LocalPort))];
        foreach (int length in new[] { 1, 0, 127, 128, 1472, 16_383, 16_384, 65_507 })
        {
            for (int i = 0; i < clients.Length; i++) await clients[i].AssertEchoAsync(RandomBytes.Of(length, length + i));
        }
        Assert.Equal(5, pipe.Near.Counters.Active);
        // the far end knows for whom each stream is
        Assert.Equal(
            clients.Select(c => c.LocalEndPoint.ToString()).Order(),
            pipe.Far.GetConnections().Where(c => c.Protocol == "udp").Select(c => c.Client).Order());
        foreach (DatagramClient client in clients) client.Dispose();
    }

    [Fact]
    public async Task A_silent_flow_ends_in_order_at_both_ends_and_the_next_datagram_begins_another()
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(Sockets.Portable);
        Pipe pipe = await StartAsync(house, Sockets.Portable, origin.Endpoint, o => o with { UdpIdleTimeout = TimeSpan.FromSeconds(0.3) });
        using var client = new DatagramClient(pipe.Near.LocalPort);
        await client.AssertEchoAsync("once");
        await House.QuietAsync(pipe.Near);
        await Deadline.Until(() => Streams(pipe.Far) == 0, "no stream is left at the far end");
        await client.AssertEchoAsync("again");
        Assert.Equal((2, 0, 0), (pipe.Near.Counters.Accepted, pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Flows_live_on_when_stripes_are_lost(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await StartAsync(house, sockets, origin.Endpoint);
        using var client = new DatagramClient(pipe.Near.LocalPort);
        for (int i = 0; i < 20; i++)
        {
            await client.AssertEchoAsync(RandomBytes.Of(1000 + i, i));
            if (i % 4 == 3) pipe.Far.GetConnections().First(c => c.Protocol == "stripe").Abort();
        }
        Assert.Equal((1, 0), (pipe.Near.Counters.Accepted, pipe.Near.Counters.Failed));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_destination_that_refuses_ends_the_flow_at_both_ends_and_only_that(string sockets)
    {
        await using var house = new House(sockets);
        HostEndpoint gone = Ports.TakeEndpoint();
        Pipe pipe = await StartAsync(house, sockets, gone);
        using var client = new DatagramClient(pipe.Near.LocalPort);
        client.Send("anybody?");
        Assert.Equal($"destination {gone}: connection refused", (await House.EventAsync(pipe.Far, ProxyEventKind.Failed)).Message);
        ProxyEvent near = await House.EventAsync(pipe.Near, ProxyEventKind.Failed);
        Assert.Equal(ProxyErrorReason.ConnectionRefused, near.Reason);
        Assert.StartsWith($"peer 127.0.0.1:{pipe.Far.LocalPort}: ", near.Message, StringComparison.Ordinal);
        await House.QuietAsync(pipe.Near);
        await Deadline.Until(() => pipe.Near.GetStripes().All(stripe => stripe.State == StripeState.Active), "all stripes to be there");
        Assert.All(pipe.Near.GetStripes(), stripe => Assert.Null(stripe.LastError));
    }

    [Theory]
    [InlineData(true, "the near end carries datagrams (Udp), and this far end connections")]
    [InlineData(false, "the near end carries connections, and this far end datagrams (Udp)")]
    public async Task Ends_that_do_not_carry_the_same_say_so(bool nearIsUdp, string fault)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        Pipe pipe = await Pipe.StartAsync(house, Sockets.Portable, origin.Endpoint, o => Striped(o) with { Udp = nearIsUdp }, o => Striped(o) with { Udp = !nearIsUdp });
        if (nearIsUdp)
        {
            using var client = new DatagramClient(pipe.Near.LocalPort);
            client.Send("x");
            await House.EventAsync(pipe.Near, ProxyEventKind.Failed);
        }
        else
        {
            await Client.AssertTurnedAwayAsync(pipe.Near.LocalPort);
        }
        ProxyEvent refused = await House.EventAsync(pipe.Far, ProxyEventKind.Refused);
        Assert.Equal(($"client: {fault}", ProxyErrorReason.Unsupported), (refused.Message, refused.Reason));
        Assert.Equal(ProxyErrorReason.Unsupported, (await House.EventAsync(pipe.Near, ProxyEventKind.Failed)).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_far_end_counts_streams_and_not_stripes_and_tells_the_near_end_of_one_too_many(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, o => Striped(o) with { MaxConnections = 2 });
        using Client first = await Client.ConnectAsync(pipe.Near.LocalPort), second = await Client.ConnectAsync(pipe.Near.LocalPort);
        foreach (Client client in new[] { first, second })
        {
            await client.SendAsync("a");
            await client.ReadAsync(1);
        }
        await Deadline.Until(() => pipe.Far.GetConnections().Count(c => c.Protocol == "stripe") == 4, "all stripes have come");
        await Client.AssertTurnedAwayAsync(pipe.Near.LocalPort);
        Assert.StartsWith("the limit of 2 connections is reached", (await House.EventAsync(pipe.Far, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        Assert.Equal(ProxyErrorReason.LimitExceeded, (await House.EventAsync(pipe.Near, ProxyEventKind.Failed)).Reason);
        first.EndSending();
        await first.ReadToEndAsync();
        await Deadline.Until(() => Streams(pipe.Far) == 1, "one stream has ended");
        using Client third = await Client.ConnectAsync(pipe.Near.LocalPort);
        await third.SendAsync("c");
        Assert.Equal("c"u8.ToArray(), await third.ReadAsync(1));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Strangers_that_say_nothing_take_no_stream_its_place(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, Striped, o => Striped(o) with { MaxConnections = 1 });
        Client[] strangers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Client.ConnectAsync(pipe.Far.LocalPort)));
        await Deadline.Until(() => pipe.Far.Counters.Active == 24, "strangers and stripes have come");
        for (int i = 0; i < 3; i++)
        {
            using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
            await client.SendAsync("a");
            Assert.Equal("a"u8.ToArray(), await client.ReadAsync(1));
            await Client.AssertTurnedAwayAsync(pipe.Near.LocalPort);
            client.EndSending();
            Assert.Empty(await client.ReadToEndAsync());
            await Deadline.Until(() => pipe.Far.Counters.Active == 24, "the stream has ended");
            await Deadline.Until(() => pipe.Near.Counters.Active == 0, "and its client is gone");
        }
        foreach (Client stranger in strangers) stranger.Dispose();
    }

    private static Task<Pipe> StartAsync(House house, string sockets, HostEndpoint destination, Func<StripedPipeEntryOptions, StripedPipeEntryOptions>? near = null) =>
        Pipe.StartAsync(house, sockets, destination, o => (near ?? (n => n))(Striped(o) with { Udp = true }), o => Striped(o) with { Udp = true });

    private static StripedPipeEntryOptions Striped(StripedPipeEntryOptions options) => options with { Framing = StripedPipeFraming.Stripe };

    private static StripedPipeExitOptions Striped(StripedPipeExitOptions options) => options with { Framing = StripedPipeFraming.Stripe };

    private static int Streams(ListenerService far) => far.GetConnections().Count(c => c.Protocol != "stripe");
}
