using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols.Socks;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>UDP ASSOCIATE: a port for datagrams that lives as long as the connection.</summary>
public sealed class SocksAssociateTests : IAsyncLifetime
{
    private static readonly HostEndpoint NotKnown = new("0.0.0.0", 0);

    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Answers_carry_their_true_source(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (talk)
        using (client)
        {
            byte[] payload = RandomBytes.Of(9000);
            foreach (string host in new[] { "127.0.0.1", "localhost" })
            {
                client.Send(Datagram(new HostEndpoint(host, _origin.Port), payload));
                Assert.Equal(Datagram(_origin.Endpoint, payload), await client.ReceiveAsync());
            }
            Assert.Equal(
                [("socks5-udp", "udp"), ("udp", $"127.0.0.1:{_origin.Port}"), ("udp", $"localhost:{_origin.Port}")],
                server.GetConnections().OrderBy(c => c.Id).Select(c => (c.Protocol, c.Destination)));
        }
        await House.QuietAsync(server);
        Assert.Equal((0, 0), (server.Counters.Failed, server.Counters.Refused));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_port_lives_as_long_as_the_connection(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (client)
        {
            client.Send(Datagram(_origin.Endpoint, [1]));
            await client.ReceiveAsync();
            await talk.Client.SendAsync("nothing that means anything");
            client.Send(Datagram(_origin.Endpoint, [2]));
            await client.ReceiveAsync();
            talk.Dispose();
            await House.QuietAsync(server);
            client.Send(Datagram(_origin.Endpoint, [3]));
            await Assert.ThrowsAsync<SocketException>(() => client.ReceiveAsync());
        }
        Assert.Equal(2, _origin.Received);
    }

    [Fact]
    public async Task A_port_that_the_client_names_is_the_only_one_heard()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        (SocksTalk talk, DatagramClient stranger) = await AssociateAsync(server, HostEndpoint.From((IPEndPoint)socket.LocalEndPoint!));
        using (talk)
        using (stranger)
        {
            stranger.Send(Datagram(_origin.Endpoint, [1]));
            await socket.SendToAsync(Datagram(_origin.Endpoint, [2]), stranger.Socket.RemoteEndPoint!);
            var answer = new byte[100];
            Assert.Equal(11, await socket.ReceiveAsync(answer).Within());
            Assert.Equal(1, _origin.Received);
        }
    }

    [Fact]
    public async Task An_address_that_is_not_the_clients_own_is_not_believed()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        foreach (HostEndpoint wrong in new HostEndpoint[] { new("192.168.1.7", 4000), new("client.example", 4000), new("::", 4000) })
        {
            (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, wrong);
            using (talk)
            using (client)
            {
                client.Send(Datagram(_origin.Endpoint, [7]));
                Assert.Equal(Datagram(_origin.Endpoint, [7]), await client.ReceiveAsync());
            }
        }
    }

    [Fact]
    public async Task Fragments_and_nonsense_are_dropped()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (talk)
        using (client)
        {
            byte[] fragment = Datagram(_origin.Endpoint, [1]);
            fragment[2] = 1;
            foreach (byte[] bad in new byte[][] { [], [0, 0, 0], fragment, [0, 0, 0, 3, 1, 32, 0, 53, 1], [0, 0, 0, 9, 1, 1, 1, 1, 0, 53], Datagram(new("127.0.0.1", 0), [1]) }) client.Send(bad);
            client.Send(Datagram(_origin.Endpoint, [2]));
            Assert.Equal(Datagram(_origin.Endpoint, [2]), await client.ReceiveAsync());
            Assert.Equal((1, 2), (_origin.Received, server.Counters.Active));
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_destination_is_checked(string sockets)
    {
        await using DatagramOrigin forbidden = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse($"127.0.0.1:{forbidden.Port}")] });
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (talk)
        using (client)
        {
            client.Send(Datagram(forbidden.Endpoint, [1]));
            client.Send(Datagram(_origin.Endpoint, [2]));
            Assert.Equal(Datagram(_origin.Endpoint, [2]), await client.ReceiveAsync());
            ProxyEvent refused = await House.EventAsync(server, ProxyEventKind.Refused);
            Assert.Equal((ProxyErrorReason.Forbidden, forbidden.Endpoint.ToString()), (refused.Reason, refused.Destination));
            Assert.Equal(0, forbidden.Received);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Through_relay_hops_answers_carry_the_address_that_was_named(string sockets)
    {
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] hops) = await house.ChainAsync(2, o => o with { Udp = true });
        ProxyServer server = await house.ProxyAsync(o => o with { Chain = chain });
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (talk)
        using (client)
        {
            byte[] datagram = Datagram(new HostEndpoint("localhost", _origin.Port), RandomBytes.Of(20_000));
            await client.AssertEchoAsync(datagram);
            await client.AssertEchoAsync(datagram);
            Assert.Contains(hops[1].GetConnections(), c => c.Destination == $"localhost:{_origin.Port}");
        }
    }

    [Fact]
    public async Task A_way_that_carries_no_datagrams_is_told_on_record()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer hop = await house.ProxyAsync(o => o with { Protocols = ProxyProtocols.Socks5 });
        ProxyServer server = await house.ProxyAsync(o => o with { Chain = new ProxyChain(hop.ToHop()) });
        (SocksTalk talk, DatagramClient client) = await AssociateAsync(server, NotKnown);
        using (talk)
        using (client)
        {
            client.Send(Datagram(_origin.Endpoint, [1]));
            ProxyEvent failed = await House.EventAsync(server, ProxyEventKind.Failed);
            Assert.Equal(ProxyErrorReason.Unsupported, failed.Reason);
            Assert.StartsWith($"hop 1 (127.0.0.1:{hop.LocalPort}): ", failed.Message, StringComparison.Ordinal);
            Assert.Equal(0, _origin.Received);
        }
    }

    [Fact]
    public async Task On_a_Unix_socket_there_is_no_address_for_it()
    {
        using var folder = new ScratchFolder();
        string path = Path.Combine(folder.Path, "s");
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { LocalAddress = "unix:" + path });
        foreach ((byte command, string name) in new[] { ((byte)2, "BIND"), ((byte)3, "UDP ASSOCIATE") })
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).Within();
            await Origin.SendAllAsync(socket, (byte[])[5, 1, 0, .. SocksTalk.Request(command, NotKnown)]);
            var answer = new byte[12];
            for (int read = 0; read < 12;) read += await socket.ReceiveAsync(answer.AsMemory(read)).AsTask().Within();
            Assert.Equal([5, 0, 5, 7], answer[..4]);
            socket.Dispose();
            await Deadline.Until(() => server.Events.ToList().Any(e => e.Message == $"client: asks for {name} on a connection without an IP address"), "the refusal is on record");
        }
    }

    private static async Task<(SocksTalk Talk, DatagramClient Client)> AssociateAsync(ProxyServer server, HostEndpoint own)
    {
        SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (byte code, IPEndPoint bound) = await talk.RequestAsync(3, own);
        Assert.Equal((0, IPAddress.Loopback), (code, bound.Address));
        return (talk, new DatagramClient(bound.Port));
    }

    private static byte[] Datagram(HostEndpoint address, byte[] payload)
    {
        var buffer = new byte[SocksDatagramCodec.MaxHeaderLength];
        return [.. buffer[..SocksDatagramCodec.Write(buffer, address)], .. payload];
    }
}
