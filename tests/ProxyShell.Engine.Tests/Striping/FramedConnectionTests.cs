using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Striping;

/// <summary>TCP clients over the datagram framing: one connection for each, whose bytes travel as messages.</summary>
public class FramedConnectionTests
{
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_of_many_clients_pass_both_ways(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async seed =>
        {
            byte[] bytes = RandomBytes.Of(1_000_000 + seed, seed);
            using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
            Task<byte[]> reading = client.ReadToEndAsync();
            await client.SendAsync(bytes);
            client.EndSending();
            Assert.Equal(bytes, await reading);
        }));
        await pipe.QuietAsync();
        Assert.Equal((20, 20, 20), (pipe.Near.Counters.Accepted, pipe.Far.Counters.Accepted, origin.Accepted));
        Assert.Equal((0, 0), (pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Either_direction_ends_before_the_other(string sockets)
    {
        await using Origin late = Origin.AnswerAfterEnd("the answer"u8.ToArray());
        await using Origin early = Origin.Of(async socket =>
        {
            await Origin.SendAllAsync(socket, "first"u8.ToArray());
            socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            var buffer = new byte[100];
            int count;
            while ((count = await socket.ReceiveAsync(buffer)) > 0) Heard.AddRange(buffer[..count]);
        });
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, late.Endpoint);
        using (Client client = await Client.ConnectAsync(pipe.Near.LocalPort))
        {
            await client.SendAsync("question");
            client.EndSending();
            Assert.Equal("the answer"u8.ToArray(), await client.ReadToEndAsync());
        }
        pipe = await Pipe.StartAsync(house, sockets, early.Endpoint);
        using (Client client = await Client.ConnectAsync(pipe.Near.LocalPort))
        {
            Assert.Equal("first"u8.ToArray(), await client.ReadToEndAsync());
            await client.SendAsync("then");
            client.EndSending();
            await Deadline.Until(() => Heard.Count >= 4, "the destination to hear the rest");
            Assert.Equal("then"u8.ToArray(), Heard);
            await pipe.QuietAsync();
        }
        Assert.Equal((0, 0), (pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
    }

    private List<byte> Heard { get; } = [];

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_reset_is_passed_on(string sockets)
    {
        var broke = new TaskCompletionSource();
        await using Origin origin = Origin.Of(async socket =>
        {
            try
            {
                while (await socket.ReceiveAsync(new byte[100]) > 0)
                {
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                broke.SetResult();
            }
        });
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint);
        using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
        await client.SendAsync("half a sent");
        await Deadline.Until(() => pipe.Far.GetConnections() is [{ BytesSent: 11 }], "it has arrived");
        client.Reset();
        await broke.Task.Within();
        await pipe.QuietAsync();
        Assert.Equal((1, 1), (pipe.Near.Counters.Failed, pipe.Far.Counters.Failed));
    }

    // the bytes on the wire, as a peer of another make would see and write them
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_a_client_writes_is_a_message_and_messages_are_what_it_reads(string sockets)
    {
        byte[] largest = RandomBytes.Of(MessageFrame.MaxLength);
        await using Origin peer = Origin.Of(async socket =>
        {
            var heard = new byte[6];
            for (int read = 0; read < heard.Length;) read += await socket.ReceiveAsync(heard.AsMemory(read));
            if (!heard.AsSpan().SequenceEqual("\u0005hello"u8)) return;
            // an empty message says nothing, and a head may come apart
            await Origin.SendAllAsync(socket, new byte[] { 2, (byte)'h', (byte)'i', 0, 0, 0x80 });
            await Origin.SendAllAsync(socket, new byte[] { 0x80, 0x20 });
            await Origin.SendAllAsync(socket, largest);
            if (await socket.ReceiveAsync(heard) == 0) socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        });
        await using var house = new House(sockets);
        StripedPipeEntry near = await Pipe.EntryAsync(house, sockets, TransportAddress.Tcp(peer.Endpoint));
        using Client client = await Client.ConnectAsync(near.LocalPort);
        await client.SendAsync("hello");
        Assert.Equal("hi"u8.ToArray(), await client.ReadAsync(2));
        Assert.Equal(largest, await client.ReadAsync(largest.Length));
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await House.QuietAsync(near);
        Assert.Equal(0, near.Counters.Failed);
    }

    [Theory]
    [InlineData("8000", "wrote the length 0 in more bytes than it needs")]
    [InlineData("818020", "announced a message of 524,289 bytes; the longest has 524,288")]
    [InlineData("ffffffff", "announced a message of more than 524,288 bytes, in a length of more than 3")]
    [InlineData("80", "ended the stream within a message")]
    [InlineData("056869", "ended the stream within a message")]
    public async Task What_is_no_message_breaks_the_connection_with_its_fault(string hex, string fault)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        StripedPipeExit far = await Pipe.ExitAsync(house, Sockets.Portable, origin.Endpoint);
        using Client stranger = await Client.ConnectAsync(far.LocalPort);
        await stranger.SendAsync(Convert.FromHexString("0161" + hex));
        stranger.EndSending();
        ProxyEvent failed = await House.EventAsync(far, ProxyEventKind.Failed);
        Assert.Equal($"client side: {fault}", failed.Message);
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => stranger.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Connections_take_the_chains_in_turn(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain first, ProxyServer[] one) = await house.ChainAsync(1);
        (ProxyChain second, ProxyServer[] two) = await house.ChainAsync(2);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, o => o with { Chains = [first, second, ProxyChain.Direct] });
        List<string> taken = [];
        for (int i = 0; i < 6; i++)
        {
            using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
            await client.SendAsync("x");
            await client.ReadAsync(1);
            taken.Add(Assert.Single(pipe.Near.GetConnections()).Chain);
            client.EndSending();
            await client.ReadToEndAsync();
            await pipe.QuietAsync();
        }
        Assert.Equal([first.ToString(), second.ToString(), "direct", first.ToString(), second.ToString(), "direct"], taken);
        Assert.Equal((2, 2, 2), (one[0].Counters.Accepted, two[0].Counters.Accepted, two[1].Counters.Accepted));
        Assert.Equal([first, second, ProxyChain.Direct], pipe.Near.GetChains());
    }

    [Fact]
    public async Task A_peer_that_is_not_there_is_named()
    {
        await using var house = new House(Sockets.Portable);
        int port = Ports.Take();
        StripedPipeEntry near = await Pipe.EntryAsync(house, Sockets.Portable, TransportAddress.Parse($"127.0.0.1:{port}"));
        await Client.AssertTurnedAwayAsync(near.LocalPort);
        ProxyEvent failed = await House.EventAsync(near, ProxyEventKind.Failed);
        Assert.Equal(($"peer 127.0.0.1:{port}: connection refused", ProxyErrorReason.ConnectionRefused), (failed.Message, failed.Reason));
        Assert.Equal($"127.0.0.1:{port}", failed.Destination);
    }

    [Fact]
    public async Task A_destination_that_is_not_there_is_named_at_the_far_end_and_breaks_the_client_off()
    {
        await using var house = new House(Sockets.Portable);
        int port = Ports.Take();
        Pipe pipe = await Pipe.StartAsync(house, Sockets.Portable, new HostEndpoint("127.0.0.1", port));
        using Client client = await Client.ConnectAsync(pipe.Near.LocalPort);
        Assert.True(await client.IsClosedAsync());
        Assert.Equal($"destination 127.0.0.1:{port}: connection refused", (await House.EventAsync(pipe.Far, ProxyEventKind.Failed)).Message);
        Assert.Equal(ProxyErrorReason.ConnectionReset, (await House.EventAsync(pipe.Near, ProxyEventKind.Failed)).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_far_end_holds_its_limit_of_streams(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        Pipe pipe = await Pipe.StartAsync(house, sockets, origin.Endpoint, far: o => o with { MaxConnections = 1 });
        using Client first = await Client.ConnectAsync(pipe.Near.LocalPort);
        await first.SendAsync("a");
        await first.ReadAsync(1);
        await Client.AssertTurnedAwayAsync(pipe.Near.LocalPort);
        Assert.StartsWith("the limit of 1 connections is reached", (await House.EventAsync(pipe.Far, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        await first.SendAsync("b");
        Assert.Equal("b"u8.ToArray(), await first.ReadAsync(1));
    }
}
