using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Routing;

/// <summary>Rules of running services, with real connections.</summary>
public sealed class RuleTests : IAsyncLifetime
{
    private readonly House _house = new(Sockets.Portable);
    private readonly Origin _origin = Origin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_blocks_by_default_lets_nothing_else_out()
    {
        await using Origin other = Origin.Echo();
        ProxyServer server = await _house.ProxyAsync(o => o with { BlockByDefault = true, Rules = [ProxyRule.Direct([Pattern($"127.0.0.1:{_origin.Port}")])] });

        await AssertEchoAsync(await _house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop())));
        foreach (string elsewhere in new[] { $"127.0.0.1:{other.Port}", $"localhost:{_origin.Port}", $"127.0.0.2:{_origin.Port}", $"[::1]:{_origin.Port}" })
        {
            AccessListener listener = await _house.ListenAsync(HostEndpoint.Parse(elsewhere), new ProxyChain(server.ToHop()));
            await Client.AssertTurnedAwayAsync(listener.LocalPort);
            Assert.Equal($"hop 1 (127.0.0.1:{server.LocalPort}): {elsewhere} is forbidden by its policy", (await House.EventAsync(listener, ProxyEventKind.Failed)).Message);
            await Deadline.Until(() => server.Events.ToList().Any(e => e.Message == $"destination {elsewhere}: no rule allows it"), $"{elsewhere} is refused");
        }
        Assert.Equal((1, 0), (_origin.Accepted, other.Accepted));
    }

    [Fact]
    public async Task A_port_for_all_destinations_that_blocks_by_default_lets_nothing_else_out()
    {
        await using Origin other = Origin.Echo();
        var listener = await _house.StartAsync(new AccessListener(
            new AccessListenerOptions { BlockByDefault = true, Rules = [ProxyRule.Direct([Pattern($"127.0.0.1:{_origin.Port}"), Pattern("*.example")])] }));

        using (SocksTalk allowed = await SocksTalk.ConnectAsync(listener.LocalPort, _origin.Endpoint)) await allowed.AssertEchoesAsync();
        string[] elsewhere = [$"127.0.0.1:{other.Port}", $"localhost:{_origin.Port}", $"127.0.0.2:{_origin.Port}", $"[::1]:{_origin.Port}", $"127.0.0.1.:{other.Port}", "example:80"];
        foreach (string destination in elsewhere)
        {
            using SocksTalk talk = await SocksTalk.GreetedAsync(listener.LocalPort);
            // not allowed by ruleset (RFC 1928 §6)
            Assert.Equal(2, (await talk.RequestAsync(1, HostEndpoint.Parse(destination))).Code);
            Assert.True(await talk.Client.IsClosedAsync());

            using Client http = await Client.ConnectAsync(listener.LocalPort);
            await http.SendAsync($"CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 403 ", System.Text.Encoding.ASCII.GetString(await http.ReadToEndAsync()), StringComparison.Ordinal);
        }
        await House.QuietAsync(listener);
        Assert.Equal((1, 0, 2L * elsewhere.Length), (_origin.Accepted, other.Accepted, listener.Counters.Refused));
    }

    [Fact]
    public async Task Rules_hold_for_datagrams_too()
    {
        await using DatagramOrigin datagrams = DatagramOrigin.Echo();
        AccessListener listener = await _house.ListenAsync(datagrams.Endpoint, change: o => o with { Udp = true, Rules = [ProxyRule.Block([Pattern("127.0.0.0/8")])] });
        using var client = new DatagramClient(listener.LocalPort);
        client.Send("hello");
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Equal($"destination {datagrams.Endpoint}: blocked by the rule 'block 127.0.0.0/8'", refused.Message);
    }

    [Fact]
    public async Task A_listener_that_blocks_by_default_lets_nothing_out()
    {
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, change: o => o with { BlockByDefault = true, Rules = [ProxyRule.Direct([Pattern("*.example")])] });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Equal(($"destination {_origin.Endpoint}: no rule allows it", ProxyErrorReason.Forbidden), (refused.Message, refused.Reason));
        Assert.Equal(0, _origin.Accepted);
    }

    [Fact]
    public async Task A_blocked_address_is_not_reached_by_its_name()
    {
        AccessListener listener = await _house.ListenAsync(
            new HostEndpoint("localhost", _origin.Port), change: o => o with { Rules = [ProxyRule.Block([Pattern("127.0.0.0/8"), Pattern("::1")])] });
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Matches($@"^destination localhost:{_origin.Port}: its address (127\.0\.0\.1|::1) is blocked by the rule 'block 127\.0\.0\.0/8, ::1'$", refused.Message);
        Assert.Equal(0, _origin.Accepted);
    }

    [Fact]
    public async Task Rules_choose_the_chain()
    {
        ProxyServer east = await _house.ProxyAsync(), west = await _house.ProxyAsync();
        AccessListener listener = await _house.ListenAsync(
            _origin.Endpoint, new ProxyChain(west.ToHop()), o => o with { Rules = [ProxyRule.Through(new ProxyChain(east.ToHop()), [Pattern("127.0.0.0/8")])] });
        await AssertEchoAsync(listener);
        Assert.Equal((1, 0), (east.Counters.Accepted, west.Counters.Accepted));
        Assert.Equal($"relay://127.0.0.1:{east.LocalPort}", (await House.EventAsync(listener, ProxyEventKind.Closed)).Connection!.Chain);
    }

    [Fact]
    public async Task A_rule_makes_an_exception_from_the_chain()
    {
        ProxyServer west = await _house.ProxyAsync();
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain(west.ToHop()), o => o with { Rules = [ProxyRule.Direct(ports: [new PortRange(1, 65535)])] });
        await AssertEchoAsync(listener);
        Assert.Equal(0, west.Counters.Accepted);
        Assert.Equal("direct", (await House.EventAsync(listener, ProxyEventKind.Closed)).Connection!.Chain);
    }

    [Fact]
    public async Task The_policy_of_a_server_stands_above_its_rules()
    {
        ProxyServer server = await _house.ProxyAsync(o => o with { DenyDestination = [Pattern("127.0.0.0/8")], Rules = [ProxyRule.Direct()] });
        AccessListener listener = await _house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop()));
        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        Assert.Equal(ProxyErrorReason.Forbidden, (await House.EventAsync(listener, ProxyEventKind.Failed)).Reason);
        Assert.Equal(0, _origin.Accepted);
    }

    private static async Task AssertEchoAsync(AccessListener listener)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("hello");
        client.EndSending();
        Assert.Equal("hello"u8.ToArray(), await client.ReadToEndAsync());
        await House.QuietAsync(listener);
    }

    private static DestinationPattern Pattern(string text) => DestinationPattern.Parse(text);
}
