using System.Net;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Serving;

/// <summary>Who may connect by address, and how often at a time.</summary>
public class AdmissionTests
{
    private static readonly IPAddress Neighbour = IPAddress.Parse("127.0.0.2");

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_client_has_a_limit_of_its_own(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { MaxConnectionsPerClient = 2 });
        using Client first = await Client.ConnectAsync(listener.LocalPort), second = await Client.ConnectAsync(listener.LocalPort);
        await Deadline.Until(() => listener.Counters.Active == 2, "two are open");

        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Equal(
            (ProxyErrorReason.LimitExceeded, "127.0.0.1 has reached the limit of 2 connections per client; 1 clients were turned away so far"),
            (refused.Reason, refused.Message));

        using Client other = await Client.ConnectAsync(listener.LocalPort, from: Neighbour);
        await AssertEchoesAsync(other);
        first.Dispose();
        await Deadline.Until(() => listener.Counters.Active == 2, "one has gone");
        using Client third = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(third);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Denied_addresses_are_turned_away_unheard(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(
            origin.Endpoint, change: o => o with { AllowSource = Networks("127.0.0.0/8"), DenySource = Networks("::1", "127.0.0.2") });

        await Client.AssertTurnedAwayAsync(listener.LocalPort, from: Neighbour);

        ProxyEvent refused = await House.EventAsync(listener, ProxyEventKind.Refused);
        Assert.Equal(
            (ProxyErrorReason.ClientNotAdmitted, "clients from 127.0.0.2 are not admitted; 1 clients were turned away so far"), (refused.Reason, refused.Message));
        using Client admitted = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(admitted);
        Assert.Equal((0, 1), (listener.Counters.Failed, listener.Counters.Refused));
    }

    [Fact]
    public async Task An_allow_list_admits_nobody_else()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { AllowSource = Networks("127.0.0.2/31") });

        await Client.AssertTurnedAwayAsync(listener.LocalPort);
        using Client admitted = await Client.ConnectAsync(listener.LocalPort, from: Neighbour);
        await AssertEchoesAsync(admitted);
    }

    [Fact]
    public async Task A_flood_of_refusals_writes_one_event_a_second_for_each_cause()
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        AccessListener listener = await house.ListenAsync(
            origin.Endpoint, change: o => o with { MaxConnectionsPerClient = 1, DenySource = Networks("127.0.0.2"), TimeProvider = time });
        using Client open = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(open);

        for (int round = 1; round <= 2; round++)
        {
            for (int i = 0; i < 10; i++)
            {
                await Client.AssertTurnedAwayAsync(listener.LocalPort);
                await Client.AssertTurnedAwayAsync(listener.LocalPort, from: Neighbour);
            }
            await Deadline.Until(() => listener.Counters.Refused == 20 * round, "all are counted");
            Assert.Equal(2 * round, listener.Events.ToList().Count(e => e.Kind == ProxyEventKind.Refused));
            time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task A_relay_client_is_told_that_it_has_too_many_connections()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { MaxConnectionsPerClient = 1 });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, new ProxyChain(server.ToHop()));
        using Client first = await Client.ConnectAsync(listener.LocalPort);
        await AssertEchoesAsync(first);

        await Client.AssertTurnedAwayAsync(listener.LocalPort);

        ProxyEvent failed = await House.EventAsync(listener, ProxyEventKind.Failed);
        Assert.Equal($"hop 1 (127.0.0.1:{server.LocalPort}): too many connections", failed.Message);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1", "0.0.0.1", false)]
    public void A_client_is_an_address_or_a_network_of_64_bits(string left, string right, bool same) =>
        Assert.Equal(same, ClientKey.Of(new IPEndPoint(IPAddress.Parse(left), 1)) == ClientKey.Of(new IPEndPoint(IPAddress.Parse(right), 2)));

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2::/64")]
    public void A_client_is_named_by_what_is_counted(string address, string name) =>
        Assert.Equal(name, ClientKey.Of(new IPEndPoint(IPAddress.Parse(address), 1)).ToString());

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("10.1.2.3/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.0.0.1", true)]
    [InlineData("0.0.0.0/0", "255.255.255.255", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("[2001:db8::]/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", true)]
    public void Networks_hold_their_addresses(string network, string address, bool holds) =>
        Assert.Equal(holds, SourceNetwork.Parse(network).Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("")]
    [InlineData("example.com")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("2001:db8::/129")]
    [InlineData("192.0.2.7:80")]
    public void What_is_no_network_is_named(string text) =>
        Assert.Equal(
            $"'{text}' is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32.",
            Assert.Throws<FormatException>(() => SourceNetwork.Parse(text)).Message);

    [Fact]
    public void A_negative_limit_is_named() =>
        Assert.Equal(
            "MaxConnectionsPerClient is '-1'; it must be 0 (no limit) or more.",
            Assert.Throws<FormatException>(() => new AccessListener(new AccessListenerOptions { Destination = new HostEndpoint("a", 1), MaxConnectionsPerClient = -1 })).Message);

    [Fact]
    public void Clients_that_have_gone_are_forgotten()
    {
        var table = new ClientTable(TimeProvider.System);
        ClientShare?[] shares = [.. Enumerable.Range(1, 200).Select(i => table.TryEnter(new IPEndPoint(new IPAddress([10, 0, 0, (byte)(i % 100)]), 1), 0))];
        Assert.Equal(100, table.Count);
        foreach (ClientShare? share in shares) share!.Leave();
        Assert.Equal(0, table.Count);
    }

    private static SourceNetwork[] Networks(params string[] networks) => [.. networks.Select(SourceNetwork.Parse)];

    private static async Task AssertEchoesAsync(Client client)
    {
        await client.SendAsync("x");
        Assert.Equal("x"u8.ToArray(), await client.ReadAsync(1));
    }
}
