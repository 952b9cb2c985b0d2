using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>Each refusal has its code, told before the connection is closed in order, and its reason on record.</summary>
public sealed class SocksRefusalTests : IAsyncLifetime
{
    private static readonly ProxyCredential[] Users = [new("ann", "secret")];

    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Nobody_listens_there(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        int closed = Ports.Take();
        await AssertRefusedAsync(server, new("127.0.0.1", closed), 5, ProxyEventKind.Failed, ProxyErrorReason.ConnectionRefused, $"destination 127.0.0.1:{closed}: connection refused");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task No_way_leads_there(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        // TCP to a multicast address fails in the kernel: nothing leaves the machine
        await AssertRefusedAsync(server, new("224.0.0.1", 80), 3, ProxyEventKind.Failed, ProxyErrorReason.NetworkUnreachable, "destination 224.0.0.1:80: network unreachable");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_name_is_not_found(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync();
        await AssertRefusedAsync(
            server, new("no-such-host.invalid", 80), 4, ProxyEventKind.Failed, ProxyErrorReason.NameNotFound, "destination no-such-host.invalid:80: name 'no-such-host.invalid' not found");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Connecting_takes_too_long(string sockets)
    {
        using var deaf = new DeafListener();
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        await AssertRefusedAsync(server, HostEndpoint.From(deaf.EndPoint), 6, ProxyEventKind.Failed, ProxyErrorReason.TimedOut, $"destination {deaf.EndPoint}: timed out");
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_policy_forbids_it(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("127.0.0.0/8")] });
        foreach (string host in new[] { "127.0.0.1", "localhost" })
        {
            await AssertRefusedAsync(
                server, new(host, _origin.Port), 2, ProxyEventKind.Refused, ProxyErrorReason.Forbidden, $"destination {host}:{_origin.Port}: destination forbidden by policy");
        }
        Assert.Equal((0, 4), (_origin.Accepted, server.Counters.Refused));
    }

    [Fact]
    public async Task A_rule_blocks_it()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { BlockByDefault = true });
        await AssertRefusedAsync(server, _origin.Endpoint, 2, ProxyEventKind.Refused, ProxyErrorReason.Forbidden, $"destination {_origin.Endpoint}: no rule allows it");
    }

    [Theory]
    [InlineData(1, 1, ProxyErrorReason.Other)]
    [InlineData(2, 2, ProxyErrorReason.Forbidden)]
    [InlineData(3, 3, ProxyErrorReason.NetworkUnreachable)]
    [InlineData(4, 4, ProxyErrorReason.HostUnreachable)]
    [InlineData(5, 5, ProxyErrorReason.ConnectionRefused)]
    [InlineData(6, 6, ProxyErrorReason.TimedOut)]
    [InlineData(7, 1, ProxyErrorReason.Unsupported)]
    [InlineData(8, 1, ProxyErrorReason.Unsupported)]
    [InlineData(99, 1, ProxyErrorReason.Other)]
    public async Task What_a_SOCKS_hop_answers_is_passed_on(byte answered, byte code, ProxyErrorReason reason)
    {
        await using Origin hop = Origin.Of(async socket =>
        {
            await socket.ReceiveAsync(new byte[3]);
            await Origin.SendAllAsync(socket, new byte[] { 5, 0 });
            await socket.ReceiveAsync(new byte[10]);
            await Origin.SendAllAsync(socket, new byte[] { 5, answered, 0, 1, 0, 0, 0, 0, 0, 0 });
            await socket.ReceiveAsync(new byte[1]);
        });
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Chain = new ProxyChain(ProxyHop.Parse($"socks5://{hop.Endpoint}")) });
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        Assert.Equal(code, (await talk.RequestAsync(1, _origin.Endpoint)).Code);
        await AssertEndedAsync(talk);
        Assert.Equal(reason, (await House.EventAsync(server, ProxyEventKind.Failed)).Reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(255)]
    public async Task The_command_is_not_known(byte command)
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        Assert.Equal(7, (await talk.RequestAsync(command, _origin.Endpoint)).Code);
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.Unsupported, $"client: command {command} is not known");
    }

    [Fact]
    public async Task The_type_of_address_is_not_known()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        await talk.Client.SendAsync(new byte[] { 5, 1, 0, 2, 1, 2, 3, 4, 5, 6 });
        Assert.Equal(8, (await talk.ReadReplyAsync()).Code);
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.Unsupported, "client: address type 2 is not known");
    }

    [Theory]
    [InlineData("05 01 00 03 00 00 50", "client: The host is empty: write host:port, for example 127.0.0.1:8080.")]
    [InlineData("05 01 00 01 7F 00 00 01 00 00", "client: asks for port 0")]
    [InlineData("04 01 00 50 7F 00 00 01", "client: the request begins with version 4, not 5")]
    public async Task The_request_makes_no_sense(string hex, string message)
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync();
        using SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort);
        await talk.Client.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(1, (await talk.ReadReplyAsync()).Code);
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.ProtocolError, message);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_password_is_wrong(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users });
        foreach ((string user, string password) in new[] { ("ann", "Secret"), ("Ann", "secret"), ("", ""), ("ann", "") })
        {
            using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
            Assert.Equal([5, 2], await talk.GreetAsync(2));
            Assert.Equal([1, 1], await talk.ShowAsync(user, password));
            await AssertEndedAsync(talk);
        }
        await House.QuietAsync(server);
        Assert.Equal((4, 0), (server.Counters.Refused, server.Counters.Failed));
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.AuthenticationFailed, "client: wrong user name or password");
    }

    [Theory]
    [InlineData(true, new byte[] { 0 }, ProxyErrorReason.AuthenticationFailed, "client: offers no user name and password, and they are required")]
    [InlineData(true, new byte[] { }, ProxyErrorReason.AuthenticationFailed, "client: offers no user name and password, and they are required")]
    [InlineData(false, new byte[] { 1, 3 }, ProxyErrorReason.Unsupported, "client: offers no method of authentication that is known here")]
    public async Task No_method_will_do(bool guarded, byte[] methods, ProxyErrorReason reason, string message)
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = guarded ? Users : [] });
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal([5, 0xFF], await talk.GreetAsync(methods));
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, reason, message);
    }

    [Fact]
    public async Task Something_else_comes_instead_of_the_password()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users });
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        await talk.GreetAsync(2);
        await talk.Client.SendAsync(SocksTalk.Request(1, _origin.Endpoint));
        Assert.Equal([1, 1], await talk.Client.ReadAsync(2));
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.ProtocolError, "client: the user name and password begin with version 5, not 1");
    }

    [Fact]
    public async Task Version_4_has_no_password()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users });
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal(93, (await talk.Request4Async(1, _origin.Endpoint, "ann")).Code);
        await AssertEndedAsync(talk);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.AuthenticationFailed, "client: speaks SOCKS4, which has no password, and one is required");
        Assert.Equal(0, _origin.Accepted);
    }

    [Fact]
    public async Task Version_4_has_one_code_for_all()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { DenyDestination = [DestinationPattern.Parse("10.0.0.0/8")] });
        foreach ((byte command, HostEndpoint address) in new[] { ((byte)1, new HostEndpoint("127.0.0.1", Ports.Take())), ((byte)1, new("10.1.1.1", 1)), ((byte)3, _origin.Endpoint), ((byte)1, new("127.0.0.1", 0)), ((byte)1, new("no-such-host.invalid", 1)) })
        {
            using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
            Assert.Equal(91, (await talk.Request4Async(command, address)).Code);
            await AssertEndedAsync(talk);
        }
    }

    [Fact]
    public async Task Too_many_connections()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { MaxConnections = 1 });
        using SocksTalk holder = await SocksTalk.ConnectAsync(server.LocalPort, _origin.Endpoint);
        using SocksTalk old = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal(91, (await old.Request4Async(1, _origin.Endpoint)).Code);
        using SocksTalk late = await SocksTalk.OpenAsync(server.LocalPort);
        await late.Client.SendAsync(new byte[] { 5, 1, 0 });
        Assert.Empty(await late.Client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_client_that_stalls_is_thrown_out_at_the_limit(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with { Credentials = Users, HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        foreach (byte[] said in new byte[][] { [5], [5, 2, 0], [5, 1, 2], [5, 1, 2, .. SocksTalk.Credential("ann", "secret")[..^1]], [5, 1, 2, .. SocksTalk.Credential("ann", "secret"), 5, 1, 0, 3, 200], [4, 1, 0, 80, 1, 1, 1, 1, 65] })
        {
            using Client client = await Client.ConnectAsync(server.LocalPort);
            await client.SendAsync(said);
            try
            {
                await client.ReadToEndAsync(seconds: 10);
            }
            catch (SocketException e)
            {
                Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
            }
        }
        await House.QuietAsync(server);
        Assert.Equal(6, server.Counters.Refused);
        await AssertRecordedAsync(server, ProxyEventKind.Refused, ProxyErrorReason.TimedOut, "client: sent no complete request within 0.3 s");
    }

    // in version 5, whose codes tell; version 4 must refuse the same
    private static async Task AssertRefusedAsync(ProxyServer server, HostEndpoint destination, byte code, ProxyEventKind kind, ProxyErrorReason reason, string message)
    {
        using (SocksTalk talk = await SocksTalk.GreetedAsync(server.LocalPort))
        {
            Assert.Equal((code, new IPEndPoint(IPAddress.Any, 0)), await talk.RequestAsync(1, destination));
            await AssertEndedAsync(talk);
        }
        await AssertRecordedAsync(server, kind, reason, message);
        using SocksTalk old = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal(91, (await old.Request4Async(1, destination)).Code);
        await AssertEndedAsync(old);
        await House.QuietAsync(server);
    }

    // an orderly end; the server need not wait for the client's own
    private static async Task AssertEndedAsync(SocksTalk talk)
    {
        Assert.Empty(await talk.Client.ReadToEndAsync());
        talk.Dispose();
    }

    private static async Task AssertRecordedAsync(ProxyServer server, ProxyEventKind kind, ProxyErrorReason reason, string message)
    {
        await Deadline.Until(
            () => server.Events.ToList().Any(e => (e.Kind, e.Reason, e.Message) == (kind, reason, message)),
            $"'{message}' is on record; there are {string.Join("; ", server.Events.ToList().Select(e => e.Message))}", seconds: 5);
    }
}
