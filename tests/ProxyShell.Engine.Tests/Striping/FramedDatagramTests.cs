using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>UDP clients over the datagram framing: a connection for each, in which every message is a datagram.</summary>
public class FramedDatagramTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Datagrams_of_all_lengths_go_there_and_back_for_several_clients(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await StartAsync(house, sockets, origin.Endpoint);
        DatagramClient[] clients = [.. Enumerable.Range(0, 3).Select(_ => new DatagramClient(pipe.Near.LocalPort))];
        foreach (int length in new[] { 1, 0, 127, 128, 1472, 16_383, 16_384, 65_507 })
        {
            for (int i = 0; i < clients.Length; i++) await clients[i].AssertEchoAsync(RandomBytes.Of(length, length + i));
        }
        foreach (StripedPipeEntry near in new[] { pipe.Near })
        {
            ProxyConnection[] flows = [.. near.GetConnections().OrderBy(c => c.Id)];
            Assert.Equal(clients.Select(c => c.LocalEndPoint.ToString()), flows.Select(f => f.Client));
            Assert.All(flows, f => Assert.Equal(("udp", $"127.0.0.1:{pipe.Far.LocalPort}", "direct", ConnectionState.Open), (f.Protocol, f.Destination, f.Chain, f.State)));
        }
        await Deadline.Until(() => pipe.Far.GetConnections().All(c => (c.DatagramsSent, c.DatagramsReceived, c.Protocol, c.Destination) == (8, 8, "udp", origin.Endpoint.ToString())), "the far end counts datagrams");
        Assert.Equal(3, pipe.Far.GetConnections().Count);
        Assert.Equal(($"udp://127.0.0.1:{pipe.Near.LocalPort}", $"tcp://127.0.0.1:{pipe.Far.LocalPort}"), (pipe.Near.Uri, pipe.Far.Uri));
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
        await pipe.QuietAsync();
        await client.AssertEchoAsync("again");
        Assert.Equal((2, 0, 2, 0), (pipe.Near.Counters.Accepted, pipe.Near.Counters.Failed, pipe.Far.Counters.Accepted, pipe.Far.Counters.Failed));
    }

    // the bytes on the wire, as a peer of another make would see and write them
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_datagram_is_a_message_and_one_too_long_for_UDP_is_dropped_and_counted(string sockets)
    {
        byte[] longest = [0xe3, 0xff, 0x03, .. RandomBytes.Of(65_507)];
        await using Origin peer = Origin.Of(async socket =>
        {
            var heard = new byte[4];
            for (int read = 0; read < heard.Length;) read += await socket.ReceiveAsync(heard.AsMemory(read));
            if (!heard.AsSpan().SequenceEqual(new byte[] { 0, 2, (byte)'h', (byte)'i' })) return;
            await SendMessageAsync(socket, new byte[65_508]);
            await SendMessageAsync(socket, new byte[MessageFrame.MaxLength]);
            await Origin.SendAllAsync(socket, longest.AsMemory(0, 1000));
            await Origin.SendAllAsync(socket, longest.AsMemory(1000));
            await SendMessageAsync(socket, []);
            await socket.ReceiveAsync(heard);
        });
        await using var house = new House(sockets);
        StripedPipeEntry near = await Pipe.EntryAsync(house, sockets, TransportAddress.Tcp(peer.Endpoint), o => o with { Udp = true });
        using var client = new DatagramClient(near.LocalPort);
        client.Send("");
        client.Send("hi");
        Assert.Equal(longest[3..], await client.ReceiveAsync());
        Assert.Empty(await client.ReceiveAsync());
        ProxyEvent warning = await House.EventAsync(near, ProxyEventKind.Warning);
        Assert.Equal("a message of 65508 bytes is longer than the 65507 that a datagram carries here, and was dropped; 1 were so far", warning.Message);
        Assert.Equal(1, near.Events.ToList().Count(e => e.Kind == ProxyEventKind.Warning));
        Assert.Equal(2, Assert.Single(near.GetConnections()).DatagramsReceived);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_far_end_drops_what_is_too_long_and_serves_the_rest(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        StripedPipeExit far = await Pipe.ExitAsync(house, sockets, origin.Endpoint, o => o with { Udp = true });
        using Client near = await Client.ConnectAsync(far.LocalPort);
        await SendMessageAsync(near.Socket, new byte[65_508]);
        await SendMessageAsync(near.Socket, "after"u8.ToArray());
        Assert.Equal("\u0005after"u8.ToArray(), await near.ReadAsync(6));
        Assert.StartsWith("a message of 65508 bytes is longer", (await House.EventAsync(far, ProxyEventKind.Warning)).Message, StringComparison.Ordinal);
        near.EndSending();
        Assert.Empty(await near.ReadToEndAsync());
        await House.QuietAsync(far);
        Assert.Equal((1, 0), (origin.Received, far.Counters.Failed));
    }

    [Theory]
    [InlineData("8000", "client side: wrote the length 0 in more bytes than it needs", ProxyErrorReason.ProtocolError)]
    [InlineData("05686c", "client side: ended the stream within a message", ProxyErrorReason.ConnectionClosed)]
    public async Task What_is_no_message_ends_the_flow_with_its_fault(string hex, string fault, ProxyErrorReason reason)
    {
        await using DatagramOrigin origin = DatagramOrigin.Silent();
        await using var house = new House(Sockets.Portable);
        StripedPipeExit far = await Pipe.ExitAsync(house, Sockets.Portable, origin.Endpoint, o => o with { Udp = true });
        using Client stranger = await Client.ConnectAsync(far.LocalPort);
        await stranger.SendAsync(Convert.FromHexString("0161" + hex));
        stranger.EndSending();
        ProxyEvent failed = await House.EventAsync(far, ProxyEventKind.Failed);
        Assert.Equal((fault, reason), (failed.Message, failed.Reason));
        await Assert.ThrowsAsync<SocketException>(() => stranger.ReadToEndAsync());
        await Deadline.Until(() => origin.Received == 1, "what came before has arrived");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_destination_that_refuses_ends_the_flow_at_both_ends(string sockets)
    {
        await using var house = new House(sockets);
        HostEndpoint gone = Ports.TakeEndpoint();
        Pipe pipe = await StartAsync(house, sockets, gone);
        using var client = new DatagramClient(pipe.Near.LocalPort);
        client.Send("anybody?");
        Assert.Equal($"destination {gone}: connection refused", (await House.EventAsync(pipe.Far, ProxyEventKind.Failed)).Message);
        ProxyEvent near = await House.EventAsync(pipe.Near, ProxyEventKind.Failed);
        Assert.StartsWith($"peer 127.0.0.1:{pipe.Far.LocalPort}: ", near.Message, StringComparison.Ordinal);
        await pipe.QuietAsync();
    }

    [Fact]
    public async Task A_peer_that_is_not_there_ends_the_flow()
    {
        await using var house = new House(Sockets.Portable);
        int port = Ports.Take();
        StripedPipeEntry near = await Pipe.EntryAsync(house, Sockets.Portable, TransportAddress.Parse($"127.0.0.1:{port}"), o => o with { Udp = true });
        using var client = new DatagramClient(near.LocalPort);
        client.Send("anybody?");
        Assert.Equal($"peer 127.0.0.1:{port}: connection refused", (await House.EventAsync(near, ProxyEventKind.Failed)).Message);
        await House.QuietAsync(near);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Flows_take_the_chains_in_turn_and_keep_to_the_limits(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(2);
        Pipe pipe = await StartAsync(house, sockets, origin.Endpoint, o => o with { Chains = [chain, ProxyChain.Direct], MaxConnections = 2 });
        using DatagramClient first = new(pipe.Near.LocalPort), second = new(pipe.Near.LocalPort), third = new(pipe.Near.LocalPort);
        await first.AssertEchoAsync("a");
        await second.AssertEchoAsync("b");
        Assert.Equal([chain.ToString(), "direct"], pipe.Near.GetConnections().OrderBy(c => c.Id).Select(c => c.Chain));
        third.Send("c");
        Assert.StartsWith("the limit of 2 connections is reached", (await House.EventAsync(pipe.Near, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        pipe.Near.GetConnections()[0].Abort();
        await Deadline.Until(() => pipe.Near.Counters.Active == 1 && pipe.Far.Counters.Active == 1, "one flow is left");
        await third.AssertEchoAsync("c");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Many_datagrams_keep_their_order_and_their_boundaries(string sockets)
    {
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await StartAsync(house, sockets, origin.Endpoint);
        using var client = new DatagramClient(pipe.Near.LocalPort);
        for (int i = 0; i < 40; i++)
        {
            for (int length = 1; length <= 20; length++) client.Send(RandomBytes.Of(length * 60, (i * 20) + length));
            for (int length = 1; length <= 20; length++) Assert.Equal(RandomBytes.Of(length * 60, (i * 20) + length), await client.ReceiveAsync());
        }
    }

    private static Task<Pipe> StartAsync(House house, string sockets, HostEndpoint destination, Func<StripedPipeEntryOptions, StripedPipeEntryOptions>? near = null) =>
        Pipe.StartAsync(house, sockets, destination, o => (near ?? (n => n))(o with { Udp = true }), o => o with { Udp = true });

    private static async Task SendMessageAsync(Socket socket, byte[] message)
    {
        var head = new byte[MessageFrame.MaxLengthBytes];
        await Origin.SendAllAsync(socket, head.AsMemory(0, MessageFrame.WriteLength(head, message.Length)));
        await Origin.SendAllAsync(socket, message);
    }
}
