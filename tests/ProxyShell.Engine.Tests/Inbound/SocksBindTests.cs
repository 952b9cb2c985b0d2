using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>BIND: a port for one peer.</summary>
public class SocksBindTests
{
    private static readonly HostEndpoint Anybody = new("0.0.0.0", 0);
    private static readonly HostEndpoint Loopback = new("127.0.0.1", 1);

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_first_reply_tells_the_port_and_the_second_the_peer(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        foreach (HostEndpoint named in new[] { Anybody, new("::", 0), Loopback, new("localhost", 1) })
        {
            using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
            (byte code, IPEndPoint bound) = await talk.RequestAsync(2, named);
            Assert.Equal((0, IPAddress.Loopback), (code, bound.Address));
            using Client peer = await Client.ConnectAsync(bound.Port);
            Assert.Equal((0, (IPEndPoint)peer.Socket.LocalEndPoint!), await talk.ReadReplyAsync());
            await peer.SendAsync("from the peer");
            Assert.Equal("from the peer"u8.ToArray(), await talk.Client.ReadAsync(13));
            await talk.Client.SendAsync("to it");
            Assert.Equal("to it"u8.ToArray(), await peer.ReadAsync(5));
            ProxyConnection live = Assert.Single(server.GetConnections());
            Assert.Equal(("socks5-bind", peer.Socket.LocalEndPoint!.ToString()), (live.Protocol, live.Destination));
            talk.Client.EndSending();
            Assert.Empty(await peer.ReadToEndAsync());
            peer.EndSending();
            Assert.Empty(await talk.Client.ReadToEndAsync());
            await House.QuietAsync(server);
        }
        Assert.Equal((0, 0), (server.Counters.Failed, server.Counters.Refused));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Version_4_knows_it_too(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        (byte code, IPEndPoint bound) = await talk.Request4Async(2, Loopback);
        Assert.Equal((90, IPAddress.Loopback), (code, bound.Address));
        using Client peer = await Client.ConnectAsync(bound.Port);
        Assert.Equal((90, (IPEndPoint)peer.Socket.LocalEndPoint!), await talk.ReadReply4Async());
        await talk.Client.SendAsync("x");
        await peer.ReadAsync(1);
        Assert.Equal("socks4-bind", Assert.Single(server.GetConnections()).Protocol);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task What_the_client_says_too_early_reaches_the_peer(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        await talk.Client.SendAsync((byte[])[.. SocksTalk.Request(2, Anybody), .. "early"u8]);
        (_, IPEndPoint bound) = await talk.ReadReplyAsync();
        await talk.Client.SendAsync("later");
        using Client peer = await Client.ConnectAsync(bound.Port);
        Assert.Equal("earlylater"u8.ToArray(), await peer.ReadAsync(10));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Only_the_peer_that_is_named_is_taken(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (_, IPEndPoint bound) = await talk.RequestAsync(2, new HostEndpoint("127.0.0.2", 0));
        await Client.AssertTurnedAwayAsync(bound.Port);
        using Socket peer = await ConnectFromAsync("127.0.0.2", bound);
        Assert.Equal((0, (IPEndPoint)peer.LocalEndPoint!), await talk.ReadReplyAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task One_peer_is_taken_and_the_port_given_up(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (_, IPEndPoint bound) = await talk.RequestAsync(2, Anybody);
        using Client peer = await Client.ConnectAsync(bound.Port);
        await talk.ReadReplyAsync();
        await Assert.ThrowsAsync<SocketException>(() => Client.ConnectAsync(bound.Port));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_leaves_takes_its_port_with_it(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (_, IPEndPoint bound) = await talk.RequestAsync(2, Anybody);
        talk.Dispose();
        await Deadline.Until(() => Descriptors.IsPortFree(bound.Port), "the port is given up");
        ProxyEvent refused = await House.EventAsync(server, ProxyEventKind.Refused);
        Assert.Equal((ProxyErrorReason.ConnectionClosed, "client: left before its peer came"), (refused.Reason, refused.Message));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_peer_that_does_not_come_is_awaited_for_a_minute(string sockets)
    {
        var time = new ManualTime();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { TimeProvider = time });
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (_, IPEndPoint bound) = await talk.RequestAsync(2, Anybody);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, server.Counters.Active);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(6, (await talk.ReadReplyAsync()).Code);
        Assert.Empty(await talk.Client.ReadToEndAsync());
        talk.Dispose();
        ProxyEvent failed = await House.EventAsync(server, ProxyEventKind.Failed);
        Assert.Equal((ProxyErrorReason.TimedOut, $"no peer came to {bound} within 60 s"), (failed.Reason, failed.Message));
        Assert.True(Descriptors.IsPortFree(bound.Port));
    }

    [Fact]
    public async Task A_chain_cannot_do_it()
    {
        await using var house = new House(Sockets.Portable);
        (ProxyChain chain, _) = await house.ChainAsync(1);
        ProxyServer server = await house.ProxyAsync(o => o with { Chain = chain });
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        Assert.Equal(7, (await talk.RequestAsync(2, Anybody)).Code);
        Assert.Empty(await talk.Client.ReadToEndAsync());
        talk.Dispose();
        ProxyEvent refused = await House.EventAsync(server, ProxyEventKind.Refused);
        Assert.Equal((ProxyErrorReason.Unsupported, $"client: asks for BIND, which a chain cannot do ({chain})"), (refused.Reason, refused.Message));
    }

    [Fact]
    public async Task A_peer_that_is_forbidden_may_not_be_named()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer denies = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] });
        ProxyServer blocks = await house.ProxyAsync(o => o with { BlockByDefault = true });
        foreach (ProxyServer server in new[] { denies, blocks })
        {
            using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
            Assert.Equal(2, (await talk.RequestAsync(2, Loopback)).Code);
            Assert.Empty(await talk.Client.ReadToEndAsync());
            talk.Dispose();
            Assert.Equal(ProxyErrorReason.Forbidden, (await House.EventAsync(server, ProxyEventKind.Refused)).Reason);
        }
    }

    [Fact]
    public async Task A_peer_that_is_forbidden_is_not_taken_when_nobody_is_named()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.1")] });
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (byte code, IPEndPoint bound) = await talk.RequestAsync(2, Anybody);
        Assert.Equal(0, code);
        await Client.AssertTurnedAwayAsync(bound.Port);
        using Socket peer = await ConnectFromAsync("127.0.0.2", bound);
        Assert.Equal((0, (IPEndPoint)peer.LocalEndPoint!), await talk.ReadReplyAsync());
    }

    [Fact]
    public async Task A_name_that_is_not_found_cannot_come()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        Assert.Equal(4, (await talk.RequestAsync(2, new HostEndpoint("no-such-host.invalid", 1))).Code);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_stop_ends_the_waiting(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        (_, IPEndPoint bound) = await talk.RequestAsync(2, Anybody);
        await server.StopAsync(TimeSpan.Zero).Within();
        Assert.True(await talk.Client.IsClosedAsync());
        Assert.True(Descriptors.IsPortFree(bound.Port));
        Assert.Equal(ProxyErrorReason.Stopping, (await House.EventAsync(server, ProxyEventKind.Failed)).Reason);
    }

    private static async Task<Socket> ConnectFromAsync(string address, IPEndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        await socket.ConnectAsync(to).Within();
        return socket;
    }
}
