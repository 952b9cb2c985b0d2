using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Datagrams in a stream, through hops that have none of their own, to a relay hop at the end.</summary>
public sealed class DatagramStreamTests : IAsyncLifetime
{
    private static readonly ProxyKey Key = ProxyKey.Create();

    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();

    public static TheoryData<string, string> Chains
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                foreach (string kind in new[] { "tls", "socks5, relay", "relay, http, tls", "unix, payload key", "socks5, tls, payload key" }) data.Add(sockets, kind);
            }
            return data;
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Chains))]
    public async Task Datagrams_of_all_sizes_pass(string sockets, string kind)
    {
        using var folder = new ScratchFolder();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, kind, folder);
        AccessListener listener = await ListenAsync(house, chain);
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        foreach (int length in new[] { 1, 0, 1472, 9000, 60_000, 65_507 })
        {
            await first.AssertEchoAsync(RandomBytes.Of(length, seed: 1));
            await second.AssertEchoAsync(RandomBytes.Of(length, seed: 2));
        }
        // a datagram is counted once it is sent: its echo may be faster
        await Deadline.Until(() => last.GetConnections().All(c => c.DatagramsSent == 6), "all are counted");
        Assert.All(last.GetConnections(), c => Assert.Equal(("udp", _origin.Endpoint.ToString(), ConnectionState.Open), (c.Protocol, c.Destination, c.State)));
        Assert.Equal(2, last.GetConnections().Count);

        // an orderly end is one for every hop
        foreach (ProxyConnection flow in listener.GetConnections()) flow.Abort();
        await House.QuietAsync(last);
        Assert.Equal(0, last.Counters.Failed);
        Assert.Equal(2, last.Events.ToList().Count(e => e.Kind == ProxyEventKind.Closed));
    }

    [Fact]
    public async Task Many_datagrams_pass_in_order()
    {
        await using var house = new House(Sockets.Kinds.First());
        (ProxyChain chain, _) = await ChainAsync(house, "socks5, relay");
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("begin");
        for (int i = 0; i < 5000; i += 50)
        {
            for (int j = i; j < i + 50; j++) client.Send(BitConverter.GetBytes(j));
            for (int j = i; j < i + 50; j++) Assert.Equal(BitConverter.GetBytes(j), await client.ReceiveAsync());
        }
    }

    [Fact]
    public async Task Destination_refused_comes_back_with_its_reason()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, "socks5, relay");
        HostEndpoint gone = Ports.TakeEndpoint();
        await AssertFailureAsync(
            house, chain, gone, ProxyErrorReason.ConnectionRefused, $"destination {gone}: connection refused, told by hop 2 (127.0.0.1:{last.LocalPort})");
        Assert.Equal($"destination {gone}: connection refused", (await House.EventAsync(last, ProxyEventKind.Failed)).Message);
        await House.QuietAsync(last);
    }

    [Fact]
    public async Task Destination_forbidden()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, "tls", change: o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] });
        await AssertFailureAsync(
            house, chain, _origin.Endpoint, ProxyErrorReason.Forbidden, $"hop 1 (127.0.0.1:{last.LocalPort}): {_origin.Endpoint} is forbidden by its policy");
        Assert.Equal(1, last.Counters.Refused);
    }

    [Fact]
    public async Task A_server_without_UDP_says_so()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, "tls", change: o => o with { Udp = false });
        await AssertFailureAsync(house, chain, _origin.Endpoint, ProxyErrorReason.Unsupported, $"hop 1 (127.0.0.1:{last.LocalPort}): UDP is not switched on here");
    }

    [Theory]
    [InlineData("relay, socks5", "a socks5")]
    [InlineData("http", "an http")]
    public async Task A_chain_that_does_not_end_in_a_relay_hop_carries_none(string kind, string which)
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, kind);
        await AssertFailureAsync(
            house, chain, _origin.Endpoint, ProxyErrorReason.Unsupported,
            $"hop {chain.Count} (127.0.0.1:{last.LocalPort}): {which} hop carries no datagrams; for UDP a chain has to end in a relay hop");
    }

    [Fact]
    public async Task A_server_with_a_certificate_has_no_datagram_socket()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Udp = true, Certificate = Certificates.Localhost });
        Assert.Contains(server.Events.ToList(), e => e.Message == $"listening on 127.0.0.1:{server.LocalPort}");
    }

    [Fact]
    public async Task A_hop_that_stops_is_reported()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, "socks5, relay");
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        await last.StopAsync(TimeSpan.Zero).Within();
        Assert.Equal("destination side: connection reset", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
        await House.QuietAsync(listener);
    }

    [Fact]
    public async Task An_idle_flow_ends_in_order_at_both_ends()
    {
        var time = new ManualTime();
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer last) = await ChainAsync(house, "socks5, relay");
        AccessListener listener = await ListenAsync(house, chain, o => o with { TimeProvider = time });
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        time.Advance(TimeSpan.FromSeconds(64));
        await House.QuietAsync(listener);
        await House.QuietAsync(last);
        Assert.Equal((0L, 0L), (listener.Counters.Failed, last.Counters.Failed));
    }

    [Fact]
    public async Task What_is_no_datagram_ends_the_flow()
    {
        await using var house = new House(Sockets.Portable);
        (_, ProxyServer server) = await ChainAsync(house, "relay");
        using Client client = await Client.ConnectAsync(server.LocalPort);
        await client.SendAsync((byte[])[.. Hop(_origin.Endpoint), 0, 1, 42]);
        await client.ReadAsync(RelayResponseCodec.MinLength);
        Assert.Equal([0, 1, 42], await client.ReadAsync(3));
        await client.SendAsync(new byte[] { 0xFF, 0xF9, 1 });
        Assert.True(await client.IsClosedAsync());
        Assert.Equal("client side: sent something that is no datagram", (await House.EventAsync(server, ProxyEventKind.Failed)).Message);
        await House.QuietAsync(server);
    }

    [Fact]
    public async Task A_stream_cut_anywhere_ends_the_flow()
    {
        await using var house = new House(Sockets.Portable);
        (_, ProxyServer server) = await ChainAsync(house, "relay");
        byte[] datagrams = [0, 1, 42, 0, 0, 0, 3, 1, 2, 3];
        for (int length = 0; length <= datagrams.Length; length++)
        {
            using Client client = await Client.ConnectAsync(server.LocalPort);
            await client.SendAsync((byte[])[.. Hop(_origin.Endpoint), .. datagrams[..length]]);
            client.EndSending();
            Assert.True(await EndsAsync(client));
        }
        await House.QuietAsync(server);
        Assert.Equal(7, server.Counters.Failed);
        Assert.Equal("client side: closed the connection within a datagram", (await House.EventAsync(server, ProxyEventKind.Failed)).Message);
    }

    [Fact]
    public async Task A_chain_with_alternates_fails_over()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain good, ProxyServer last) = await ChainAsync(house, "tls");
        (ProxyChain bad, ProxyServer dead) = await ChainAsync(house, "tls");
        await dead.StopAsync(TimeSpan.Zero).Within();
        AccessListener listener = await ListenAsync(house, new ProxyChain([Group(bad, good)]));
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        // beside the flow, a probe may be here for a moment
        await Deadline.Until(() => last.Counters.Active == 1, "the flow is there");

        // without a set-up a dead one shows with the first datagram, and the next flow takes another
        (good, last) = await ChainAsync(house, "relay");
        (bad, dead) = await ChainAsync(house, "relay");
        await dead.StopAsync(TimeSpan.Zero).Within();
        listener = await ListenAsync(house, new ProxyChain([Group(bad, good)]));
        using var second = new DatagramClient(listener.LocalPort);
        Task<byte[]> echo = second.ReceiveAsync();
        await Deadline.Until(() =>
        {
            second.Send("b");
            return echo.IsCompleted;
        }, "a datagram comes back");
        await Deadline.Until(() => last.Counters.Active == 1, "the flow is there");
    }

    private static HopGroup Group(ProxyChain first, ProxyChain second) => new([HopAlternate.From(first), HopAlternate.From(second)]);

    private static byte[] Hop(HostEndpoint destination)
    {
        var buffer = new byte[512];
        var request = new RelayRequest { Command = RelayCommand.DatagramStream, Nonce = 7, Timestamp = DateTimeOffset.UtcNow, Next = TransportAddress.Udp(destination) };
        return buffer[..RelayRequestCodec.Write(buffer, request, null)];
    }

    private static async Task<bool> EndsAsync(Client client)
    {
        while (!await client.IsClosedAsync())
        {
        }
        return true;
    }

    private async Task AssertFailureAsync(House house, ProxyChain chain, HostEndpoint destination, ProxyErrorReason reason, string message)
    {
        AccessListener listener = await ListenAsync(house, chain, destination: destination);
        using var client = new DatagramClient(listener.LocalPort);
        client.Send("x");
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal((message, reason), (failed.Message, failed.Reason));
        await House.QuietAsync(listener);
    }

    // a chain of fresh servers, one for each word
    private static async Task<(ProxyChain Chain, ProxyServer Last)> ChainAsync(
        House house, string kind, ScratchFolder? folder = null, Func<ProxyServerOptions, ProxyServerOptions>? change = null)
    {
        List<ProxyHop> hops = [];
        ProxyServer? last = null;
        bool isSealed = kind.EndsWith(", payload key", StringComparison.Ordinal);
        foreach (string word in kind.Replace(", payload key", "", StringComparison.Ordinal).Split(", "))
        {
            last = await house.ProxyAsync(o => (change ?? (x => x))(word switch
            {
                "socks5" => o with { Protocols = ProxyProtocols.Socks5 },
                "http" => o with { Protocols = ProxyProtocols.Http },
                "tls" => o with { Udp = true, Certificate = Certificates.Localhost, Keys = [Key], PayloadKeys = [Key] },
                "unix" => o with { Udp = true, LocalAddress = $"unix:{folder!.Path}/hop.sock", PayloadKeys = [Key] },
                _ => o with { Udp = true },
            }));
            hops.Add(last.ToHop());
        }
        return (new ProxyChain(hops) { PayloadKey = isSealed ? Key : null }, last!);
    }

    private Task<AccessListener> ListenAsync(
        House house, ProxyChain chain, Func<AccessListenerOptions, AccessListenerOptions>? change = null, HostEndpoint? destination = null) =>
        house.ListenAsync(destination ?? _origin.Endpoint, chain, o => (change ?? (x => x))(o with { Udp = true }));
}
