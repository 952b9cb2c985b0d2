using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Serving;

/// <summary>Services behind a balancer that tells who the client is, and destinations that are told.</summary>
public class ProxyProtocolTests
{
    private const string Line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_client_is_the_one_told(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(Line + "hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
        Assert.Equal("192.0.2.7:56324", Assert.Single(listener.GetConnections()).Client);
    }

    [Fact]
    public async Task A_header_may_come_in_pieces()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        foreach (char letter in Line + "x") await client.SendAsync($"{letter}");
        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0")]
    public async Task A_header_that_tells_nobody_leaves_the_real_client(string header)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(header + "x");
        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
        Assert.Equal(client.Socket.LocalEndPoint!.ToString(), Assert.Single(listener.GetConnections()).Client);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Limits_and_source_rules_concern_the_client_told(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with
        {
            AcceptProxyProtocol = true,
            MaxConnectionsPerClient = 1,
            DenySource = [SourceNetwork.Parse("203.0.113.0/24")],
        });
        using Client first = await ConnectAsync("192.0.2.7"), second = await ConnectAsync("192.0.2.8");
        foreach (Client client in new[] { first, second })
        {
            await client.SendAsync("x");
            await client.ReadAsync(1);
        }

        using Client third = await ConnectAsync("192.0.2.7");
        Assert.True(await third.IsClosedAsync());
        Assert.StartsWith("192.0.2.7 has reached the limit of 1 connections per client", (await House.EventAsync(listener, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        using Client denied = await ConnectAsync("203.0.113.5");
        Assert.True(await denied.IsClosedAsync());
        await Deadline.Until(() => listener.Counters.Refused == 2, "both are counted");
        Assert.StartsWith("clients from 203.0.113.5 are not admitted", (await House.EventAsync(listener, ProxyEventKind.Refused)).Message, StringComparison.Ordinal);
        await Deadline.Until(() => listener.Counters.Active == 2, "those turned away are gone");
        Assert.Equal(0L, listener.Counters.Failed);

        first.Dispose();
        await Deadline.Until(() => listener.Counters.Active == 1, "one has gone");
        using Client fourth = await ConnectAsync("192.0.2.7");
        await fourth.SendAsync("x");
        await fourth.ReadAsync(1);

        async Task<Client> ConnectAsync(string address)
        {
            Client client = await Client.ConnectAsync(listener.LocalPort);
            await client.SendAsync($"PROXY TCP4 {address} 198.51.100.1 1 2\r\n");
            return client;
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", ProxyErrorReason.ProtocolError, "client: there is no PROXY header; the first byte is 0x47")]
    [InlineData("PROXY TCP9 \r\n", ProxyErrorReason.ProtocolError, "client: its PROXY line names neither TCP4 nor TCP6 nor UNKNOWN")]
    [InlineData("PROXY", ProxyErrorReason.ConnectionClosed, "client: closed the connection without a PROXY header")]
    [InlineData("", ProxyErrorReason.ConnectionClosed, "client: closed the connection without a PROXY header")]
    public async Task Clients_without_a_proper_header_are_refused(string bytes, ProxyErrorReason reason, string message)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(bytes);
        client.EndSending();
        Assert.True(await client.IsClosedAsync());
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Equal((reason, message), (refused.Reason, refused.Message));
        Assert.Equal(0, origin.Accepted);
    }

    [Fact]
    public async Task A_header_that_does_not_come_is_not_waited_for_forever()
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Kinds.First());
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true, TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("PROXY TCP4 ");
        await Deadline.Until(() => listener.Counters.Active == 1, "it is accepted");
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await client.IsClosedAsync());
        Assert.Equal(ProxyErrorReason.TimedOut, (await House.EventAsync(listener, ProxyEventKind.Refused)).Reason);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_header_comes_before_TLS(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { Certificate = Certificates.Localhost, AcceptProxyProtocol = true });
        // a listener in front of the server plays the balancer
        AccessListener balancer = await house.ListenAsync(new HostEndpoint("127.0.0.1", server.LocalPort), change: o => o with { SendProxyProtocol = ProxyHeaderVersion.V2 });
        ProxyHop throughBalancer = ProxyHop.Parse($"relays://127.0.0.1:{balancer.LocalPort}") with { Trust = server.ToHop().Trust };
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(throughBalancer));

        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));

        Assert.Equal(Assert.Single(balancer.GetConnections()).Client, Assert.Single(server.GetConnections()).Client);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_destination_is_told_first_of_all(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, _) = await house.ChainAsync(2);
        foreach (ProxyChain way in new[] { ProxyChain.Direct, chain })
        {
            AccessListener listener = await house.ListenAsync(origin.Endpoint, way, o => o with { SendProxyProtocol = ProxyHeaderVersion.V1 });
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            await client.SendAsync("early");
            string expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.Socket.LocalEndPoint!).Port} {listener.LocalPort}\r\nearly";
            Assert.Equal(expected, Encoding.ASCII.GetString(await client.ReadAsync(expected.Length)));
            // the header is no payload
            Assert.Equal(5, listener.Counters.BytesSent);
        }
    }

    [Fact]
    public async Task What_was_told_is_passed_on()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AcceptProxyProtocol = true, SendProxyProtocol = ProxyHeaderVersion.V1 });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(Line + "x");
        Assert.Equal(Line + "x", Encoding.ASCII.GetString(await client.ReadAsync(Line.Length + 1)));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_socket_file_is_told_as_one(string sockets)
    {
        using var folder = new ScratchFolder();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { LocalAddress = $"unix:{folder.File("a.sock")}", SendProxyProtocol = ProxyHeaderVersion.V2 });
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(folder.File("a.sock")));
        await client.SendAsync("x"u8.ToArray());
        var answer = new byte[ProxyHeaderCodec.MaxWrittenLength + 1];
        for (int read = 0; read < answer.Length;) read += await client.ReceiveAsync(answer.AsMemory(read)).Within();

        ProxyHeader header = ProxyHeaderCodec.Read(answer.AsSpan(0, answer.Length - 1), out _)!;
        Assert.Equal(new ProxyHeader(true, null, new UnixDomainSocketEndPoint(folder.File("a.sock"))), header);
        Assert.Equal((byte)'x', answer[^1]);
    }

    [Fact]
    public void Options_that_make_no_sense_together_are_named()
    {
        static string Fault(AccessListenerOptions options) => Assert.Throws<FormatException>(() => new AccessListener(options)).Message;
        Assert.Equal(
            "SendProxyProtocol needs a Destination that expects it; what clients ask for does not.",
            Fault(new AccessListenerOptions { SendProxyProtocol = ProxyHeaderVersion.V1 }));
        Assert.Equal(
            "AcceptProxyProtocol is given, but a PROXY header begins a connection, not a datagram: leave out one of the two.",
            Fault(new AccessListenerOptions { Destination = new HostEndpoint("a", 1), Udp = true, AcceptProxyProtocol = true }));
    }
}
