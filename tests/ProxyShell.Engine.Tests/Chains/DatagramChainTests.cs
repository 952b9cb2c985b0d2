using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Chains;

/// <summary>Datagrams through relay hops that take them as such: each hop takes its request off, and puts its answer before what comes back.</summary>
public sealed class DatagramChainTests : IAsyncLifetime
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
                foreach (string kind in new[] { "clear", "keys", "payload key", "keys and payload key" }) data.Add(sockets, kind);
            }
            return data;
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Chains))]
    public async Task Datagrams_of_all_sizes_pass_three_hops(string sockets, string kind)
    {
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 3, kind);
        AccessListener listener = await ListenAsync(house, chain);
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        foreach (int length in new[] { 1, 0, 1472, 9000, 60_000 })
        {
            await first.AssertEchoAsync(RandomBytes.Of(length, seed: 1));
            await second.AssertEchoAsync(RandomBytes.Of(length, seed: 2));
        }
        foreach (ProxyServer server in servers)
        {
            Assert.Equal(2, server.GetConnections().Count);
            // a datagram is counted once it is sent: its echo may be faster
            await Deadline.Until(() => server.GetConnections().All(c => (c.DatagramsSent, c.BytesSent >= 70_473) == (5, true)), "all are counted");
            Assert.All(server.GetConnections(), c => Assert.Equal(("udp", ConnectionState.Open), (c.Protocol, c.State)));
        }
        Assert.All(servers[2].GetConnections(), c => Assert.Equal((_origin.Endpoint.ToString(), 70_473L), (c.Destination, c.BytesSent)));
        Assert.All(listener.GetConnections(), c => Assert.Equal(chain.ToString(), c.Chain));
    }

    [Fact]
    public async Task What_is_too_long_for_the_headers_is_lost_and_said_so()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, _) = await ChainAsync(house, 2, "clear");
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        // once before the flow is set up and kept, once after
        client.Send(new byte[65_507]);
        await client.AssertEchoAsync("short");
        client.Send(new byte[65_500]);
        await client.AssertEchoAsync("short again");
        ProxyEvent warning = await House.EventAsync(listener, ProxyEventKind.Warning);
        Assert.Equal("a datagram of 65507 bytes is too long for this way, which takes at most 65413; it and others like it are lost", warning.Message);
        Assert.Single(listener.Events.ToList(), e => e.Kind == ProxyEventKind.Warning);
    }

    [Fact]
    public async Task Flows_of_a_chain_end_at_the_client_first()
    {
        ManualTime near = new(), far = new();
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 1, "clear", o => o with { TimeProvider = far });
        AccessListener listener = await ListenAsync(house, chain, o => o with { TimeProvider = near });
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        near.Advance(TimeSpan.FromSeconds(64));
        far.Advance(TimeSpan.FromSeconds(64));
        await House.QuietAsync(listener);
        Assert.Equal(1, servers[0].Counters.Active);
        far.Advance(TimeSpan.FromSeconds(20));
        await House.QuietAsync(servers[0]);
        Assert.Equal((0L, 0L), (servers[0].Counters.Failed, listener.Counters.Failed));
    }

    [Theory]
    [InlineData("clear")]
    [InlineData("keys")]
    [InlineData("payload key")]
    public async Task A_hop_that_forgot_a_flow_learns_of_it_anew(string kind)
    {
        var far = new ManualTime();
        far.Advance(DateTimeOffset.UtcNow - far.GetUtcNow());
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 1, kind, o => o with { TimeProvider = far, ClockWindow = TimeSpan.FromHours(1) });
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        far.Advance(TimeSpan.FromMinutes(2));
        await House.QuietAsync(servers[0]);

        // one may be lost, after which the flow goes on; new requests are sent at most once a second
        Task<byte[]> echo = client.ReceiveAsync();
        await Deadline.Until(() =>
        {
            client.Send("b");
            return echo.IsCompleted;
        }, "a datagram comes back");
        Assert.Equal("b"u8.ToArray(), await echo);
        Assert.Equal((1, 0L), (listener.Counters.Active, listener.Counters.Failed));
        Assert.Equal(1, listener.Counters.Accepted);
    }

    [Fact]
    public async Task Destination_refused()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 3, "keys");
        HostEndpoint gone = Ports.TakeEndpoint();
        await AssertFailureAsync(
            house, chain, gone, ProxyErrorReason.ConnectionRefused,
            $"destination {gone}: connection refused, told by hop 3 (127.0.0.1:{servers[2].LocalPort})");
        Assert.Equal($"destination {gone}: connection refused", (await House.EventAsync(servers[2], ProxyEventKind.Failed)).Message);
    }

    [Fact]
    public async Task Name_not_found()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 2, "clear");
        await AssertFailureAsync(
            house, chain, new HostEndpoint("no-such-host.invalid", 53), ProxyErrorReason.NameNotFound,
            $"destination no-such-host.invalid:53: name 'no-such-host.invalid' not found, told by hop 2 (127.0.0.1:{servers[1].LocalPort})");
    }

    [Fact]
    public async Task Destination_forbidden()
    {
        await using var house = new House(Sockets.Portable);
        (_, ProxyServer[] open) = await ChainAsync(house, 1, "clear");
        (_, ProxyServer[] closed) = await ChainAsync(house, 1, "clear", o => o with { DenyDestination = [DestinationPattern.Parse($"127.0.0.1:{_origin.Port}")] });
        await AssertFailureAsync(
            house, new ProxyChain(open[0].ToHop(), closed[0].ToHop()), _origin.Endpoint, ProxyErrorReason.Forbidden,
            $"hop 2 (127.0.0.1:{closed[0].LocalPort}): {_origin.Endpoint} is forbidden by its policy");
        Assert.Equal(1, closed[0].Counters.Refused);
        Assert.Equal(0, _origin.Received);
    }

    [Fact]
    public async Task A_guarded_server_leads_nobody_to_its_own_machine()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Udp = true, Keys = [Key], LocalAddress = "0.0.0.0" });
        await AssertFailureAsync(
            house, new ProxyChain(server.ToHop()), _origin.Endpoint, ProxyErrorReason.Forbidden,
            $"hop 1 (127.0.0.1:{server.LocalPort}): {_origin.Endpoint} is forbidden by its policy");
        Assert.Equal(0, _origin.Received);
    }

    [Fact]
    public async Task Wrong_key()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 2, "keys");
        var wrong = new ProxyChain(chain.Hops[0], chain.Hops[1] with { Key = ProxyKey.Create() });
        // strangers are told in few words
        await AssertFailureAsync(house, wrong, _origin.Endpoint, ProxyErrorReason.AuthenticationFailed, $"hop 2 (127.0.0.1:{servers[1].LocalPort}): key not accepted");
        Assert.StartsWith("client 127.0.0.1:", (await House.EventAsync(servers[1], ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        await AssertFailureAsync(
            house, new ProxyChain(chain.Hops[0] with { Key = null }), _origin.Endpoint, ProxyErrorReason.AuthenticationFailed, $"hop 1 (127.0.0.1:{servers[0].LocalPort}): key not accepted");
    }

    [Fact]
    public async Task Wrong_payload_key()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 2, "clear");
        var sealing = new ProxyChain(chain.Hops) { PayloadKey = Key };
        await AssertFailureAsync(house, sealing, _origin.Endpoint, ProxyErrorReason.AuthenticationFailed, $"hop 2 (127.0.0.1:{servers[1].LocalPort}): wrong payload key");
    }

    [Fact]
    public async Task Replayed_datagrams_open_nothing()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 1, "keys and payload key");
        using var tap = new DatagramTap(servers[0].LocalPort);
        var through = new ProxyChain(new ProxyHop(TransportAddress.Tcp(new HostEndpoint("127.0.0.1", tap.Port))) { Key = chain.Hops[0].Key }) { PayloadKey = chain.PayloadKey };
        AccessListener listener = await ListenAsync(house, through);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("secret");
        byte[] first = tap.Seen[0];
        Assert.Equal(-1, first.AsSpan().IndexOf("secret"u8));

        // the same bytes in the same flow, and in another
        tap.SendAgain(first);
        using var thief = new DatagramClient(servers[0].LocalPort);
        thief.Send(first);
        byte[] answer = await thief.ReceiveAsync();
        RelayResponse? refusal = RelayResponseCodec.Read(answer, RelayRequestCodec.NonceOf(first), chain.Hops[0].Key, out string fault);
        Assert.Equal(("", ProxyErrorReason.Replayed), (fault, refusal!.Reason));
        await client.AssertEchoAsync("another");
        Assert.Equal(2, _origin.Received);
    }

    [Fact]
    public async Task The_limit_of_a_hop_is_told()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 1, "clear", o => o with { MaxConnections = 1 });
        AccessListener listener = await ListenAsync(house, chain);
        using DatagramClient first = new(listener.LocalPort), second = new(listener.LocalPort);
        await first.AssertEchoAsync("mine");
        second.Send("and mine");
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal($"hop 1 (127.0.0.1:{servers[0].LocalPort}): too many connections", failed.Message);
        await first.AssertEchoAsync("still mine");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_hop_that_stops_is_reported(int which)
    {
        await using var house = new House(Sockets.Kinds.First());
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 3, "keys");
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");

        // while the flow is in use; it says so when its time is over
        Task stopping = servers[which].StopAsync(TimeSpan.Zero);
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        await stopping.Within();
        Assert.Equal($"hop {which + 1} (127.0.0.1:{servers[which].LocalPort}): the service is stopping", failed.Message);

        // from then on nobody is there: the hop before it notices, or this machine
        ProxyErrorReason reason = ProxyErrorReason.None;
        await Deadline.Until(() =>
        {
            client.Send("b");
            ProxyEvent? last = listener.Events.ToList().LastOrDefault(e => e.Kind == ProxyEventKind.Failed);
            if (last?.Message == $"hop {which + 1} (127.0.0.1:{servers[which].LocalPort}): connection refused") reason = last.Reason;
            return reason != ProxyErrorReason.None;
        }, "the missing hop is named");
        Assert.Equal(ProxyErrorReason.ConnectionRefused, reason);
    }

    [Fact]
    public async Task A_flow_that_a_hop_stops_is_reported_and_the_next_datagram_begins_another()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 2, "clear");
        AccessListener listener = await ListenAsync(house, chain);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync("a");
        servers[1].GetConnections()[0].Abort();
        Assert.Equal($"hop 2 (127.0.0.1:{servers[1].LocalPort}): stopped by the operator", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
        await House.QuietAsync(listener);
        await client.AssertEchoAsync("b");
    }

    [Fact]
    public async Task A_server_without_UDP_has_no_such_socket()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, ProxyServer[] servers) = await ChainAsync(house, 1, "clear", o => o with { Udp = false });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, servers[0].LocalPort));
        socket.Dispose();
        await AssertFailureAsync(house, chain, _origin.Endpoint, ProxyErrorReason.ConnectionRefused, $"hop 1 (127.0.0.1:{servers[0].LocalPort}): connection refused");
    }

    [Fact]
    public async Task A_server_that_is_chained_itself_sends_datagrams_on_through_its_chain()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain inner, ProxyServer[] inside) = await ChainAsync(house, 2, "keys and payload key");
        (ProxyChain outer, _) = await ChainAsync(house, 1, "payload key", o => o with { Chain = inner });
        AccessListener listener = await ListenAsync(house, outer);
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync(RandomBytes.Of(30_000));
        await inside[1].StopAsync(TimeSpan.Zero).Within();
        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Contains($"hop 2 (127.0.0.1:{inside[1].LocalPort}): the service is stopping", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_for_streams_and_for_datagrams_are_not_confused()
    {
        await using var house = new House(Sockets.Portable);
        (_, ProxyServer[] servers) = await ChainAsync(house, 1, "clear");
        using var client = new DatagramClient(servers[0].LocalPort);
        client.Send(Tests.Protocols.RelayCodecTests.Written("request, clear, IPv4"));
        RelayResponse? answer = RelayResponseCodec.Read(await client.ReceiveAsync(), UInt128.One, null, out _);
        Assert.Equal((ProxyErrorReason.Unsupported, "the request is one for streams, and came in a datagram"), (answer!.Reason, answer.Message));

        using Client stream = await Client.ConnectAsync(servers[0].LocalPort);
        await stream.SendAsync(Tests.Protocols.RelayCodecTests.Written("request, clear, datagram"));
        answer = RelayResponseCodec.Read(await stream.ReadToEndAsync(), UInt128.One, null, out _);
        Assert.Equal((ProxyErrorReason.Unsupported, "the request is one for datagrams, and came in a stream"), (answer!.Reason, answer.Message));
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

    private static Task<(ProxyChain Chain, ProxyServer[] Servers)> ChainAsync(
        House house, int hops, string kind, Func<ProxyServerOptions, ProxyServerOptions>? change = null) => SealAsync(
            house.ChainAsync(hops, o => (change ?? (x => x))(o with
            {
                Udp = true,
                Keys = kind.StartsWith("keys", StringComparison.Ordinal) ? [Key] : [],
                PayloadKeys = kind.EndsWith("payload key", StringComparison.Ordinal) ? [Key] : [],
            })),
            kind);

    private static async Task<(ProxyChain Chain, ProxyServer[] Servers)> SealAsync(Task<(ProxyChain Chain, ProxyServer[] Servers)> making, string kind)
    {
        (ProxyChain chain, ProxyServer[] servers) = await making;
        return (kind.EndsWith("payload key", StringComparison.Ordinal) ? new ProxyChain(chain.Hops) { PayloadKey = Key } : chain, servers);
    }

    private Task<AccessListener> ListenAsync(
        House house, ProxyChain chain, Func<AccessListenerOptions, AccessListenerOptions>? change = null, HostEndpoint? destination = null) =>
        house.ListenAsync(destination ?? _origin.Endpoint, chain, o => (change ?? (x => x))(o with { Udp = true }));
}
