using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>CONNECT in every version, by every kind of client.</summary>
public sealed class SocksConnectTests : IAsyncLifetime
{
    private static readonly ProxyCredential[] Users = [new("bob", "other"), new("ann", "secret")];

    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Version_5_reaches_addresses_and_names(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        foreach (string host in new[] { "127.0.0.1", "localhost" })
        {
            using SocksTalk talk = await SocksTalk.ConnectAsync(server.LocalPort, new HostEndpoint(host, _origin.Port));
            await talk.AssertEchoesAsync();
            ProxyConnection live = Assert.Single(server.GetConnections());
            Assert.Equal(("socks5", $"{host}:{_origin.Port}", "direct"), (live.Protocol, live.Destination, live.Chain));
            talk.Dispose();
            await House.QuietAsync(server);
        }
        Assert.Equal(0, server.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_reply_tells_the_address_that_the_destination_sees(string sockets)
    {
        var seen = new TaskCompletionSource<EndPoint>();
        await using Origin origin = Origin.Of(socket =>
        {
            seen.SetResult(socket.RemoteEndPoint!);
            return Task.CompletedTask;
        });
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (byte code, IPEndPoint bound) = await talk.RequestAsync(1, origin.Endpoint);
        Assert.Equal((0, await seen.Task.Within()), (code, bound));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Version_5_reaches_IPv6(string sockets)
    {
        using var listener = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (byte code, IPEndPoint bound) = await talk.RequestAsync(1, HostEndpoint.From((IPEndPoint)listener.LocalEndPoint!));
        using Socket accepted = await listener.AcceptAsync().Within();
        Assert.Equal((0, (IPEndPoint)accepted.RemoteEndPoint!), (code, bound));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Versions_4_and_4a_are_served(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        foreach (string host in new[] { "127.0.0.1", "localhost" })
        {
            using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
            Assert.Equal(90, (await talk.Request4Async(1, new HostEndpoint(host, _origin.Port), "fred")).Code);
            await talk.AssertEchoesAsync();
            Assert.Equal("socks4", Assert.Single(server.GetConnections()).Protocol);
            talk.Dispose();
            await House.QuietAsync(server);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Users_are_asked_for_their_password(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users });
        foreach (byte[] methods in new byte[][] { [2], [0, 1, 2] })
        {
            using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
            Assert.Equal([5, 2], await talk.GreetAsync(methods));
            Assert.Equal([1, 0], await talk.ShowAsync("ann", "secret"));
            Assert.Equal(0, (await talk.RequestAsync(1, _origin.Endpoint)).Code);
            await talk.AssertEchoesAsync();
        }
    }

    [Fact]
    public async Task Who_insists_on_a_password_where_nobody_asks_is_let_in()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal([5, 2], await talk.GreetAsync(2));
        Assert.Equal([1, 0], await talk.ShowAsync("any", ""));
        Assert.Equal(0, (await talk.RequestAsync(1, _origin.Endpoint)).Code);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Everything_may_come_in_one_piece(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users });
        byte[] payload = RandomBytes.Of(100_000);
        using Client client = await Client.ConnectAsync(server.LocalPort);
        await client.SendAsync((byte[])[5, 1, 2, .. SocksTalk.Credential("bob", "other"), .. SocksTalk.Request(1, _origin.Endpoint), .. payload]);
        client.EndSending();
        byte[] answer = await client.ReadToEndAsync();
        Assert.Equal([5, 2, 1, 0, 5, 0, 0, 1], answer[..8]);
        Assert.Equal(payload, answer[14..]);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Everything_may_come_byte_by_byte(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        foreach ((byte[] said, int replyLength) in new[]
        {
            ((byte[])[5, 3, 9, 7, 0, .. SocksTalk.Request(1, new HostEndpoint("localhost", _origin.Port)), 65], 12),
            ([.. SocksTalk.Request4(1, new HostEndpoint("localhost", _origin.Port), "fred"), 65], 8),
        })
        {
            using Client client = await Client.ConnectAsync(server.LocalPort);
            foreach (byte b in said) await client.SendAsync(new[] { b });
            Assert.Equal(65, (await client.ReadAsync(replyLength + 1))[^1]);
        }
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_end_of_one_direction_leaves_the_other(string sockets)
    {
        byte[] answer = RandomBytes.Of(3_000_000);
        await using Origin origin = Origin.AnswerAfterEnd(answer);
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.ConnectAsync(server.LocalPort, origin.Endpoint);
        await talk.Client.SendAsync(RandomBytes.Of(1_000_000));
        talk.Client.EndSending();
        Assert.Equal(SHA256.HashData(answer), SHA256.HashData(await talk.Client.ReadToEndAsync()));
        await House.QuietAsync(server);
        Assert.Equal(0, server.Counters.Failed);
    }

    [Fact]
    public async Task Relay_headers_and_SOCKS_share_a_port()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.ConnectAsync(server.LocalPort, _origin.Endpoint);
        await talk.AssertEchoesAsync();
        List<HopTestResult> results = await new ChainTester().TestAsync(new ProxyChain(server.ToHop()), _origin.Endpoint).ToListAsync();
        Assert.All(results, r => Assert.Equal(HopTestStatus.Ok, r.Status));
    }

    [Fact]
    public async Task Over_TLS_it_is_the_same()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Certificate = Certificates.Localhost, Protocols = ProxyProtocols.Socks5 });
        Assert.Equal($"socks5+tls://127.0.0.1:{server.LocalPort}", server.Uri);
        var listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop()));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
        Assert.Equal("socks5", Assert.Single(server.GetConnections()).Protocol);
    }
}
