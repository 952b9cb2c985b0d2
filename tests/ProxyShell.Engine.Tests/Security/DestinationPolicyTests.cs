using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class DestinationPolicyTests
{
    /// <summary>Every dress in which this machine or its neighbours may come.</summary>
    public static TheoryData<string> LocalAddresses => new(
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.255.255.255", "255.255.255.255",
        "::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1");

    public static TheoryData<string> OtherAddresses => new(
        "192.0.2.1", "10.0.0.1", "8.8.8.8", "2001:db8::1", "::ffff:192.0.2.1", "64:ff9b::c000:201", "2002:c000:201::1", "fd00::1", "240.0.0.1");

    [Theory]
    [MemberData(nameof(LocalAddresses))]
    public void A_guarded_service_refuses_this_machine_and_its_neighbours(string address)
    {
        Assert.True(DestinationPolicy.IsLocal(IPAddress.Parse(address)));
        Assert.False(Allows(Policy(guarded: true), address));
        Assert.False(Allows(Policy(guarded: true), address, asName: "innocent.example"));
        Assert.True(Allows(Policy(guarded: false), address));
    }

    [Theory]
    [MemberData(nameof(LocalAddresses))]
    public void A_star_does_not_lift_the_guard(string address)
    {
        Assert.False(Allows(Policy(guarded: true, allow: "*"), address));
        Assert.False(Allows(Policy(guarded: true, allow: "*:80"), address));
    }

    [Theory]
    [MemberData(nameof(OtherAddresses))]
    public void A_guarded_service_lets_others_pass(string address)
    {
        Assert.False(DestinationPolicy.IsLocal(IPAddress.Parse(address)));
        Assert.True(Allows(Policy(guarded: true), address));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", null, true)]
    [InlineData("127.0.0.0/8", "127.9.9.9", null, true)]
    [InlineData("127.0.0.1", "127.0.0.2", null, false)]
    [InlineData("127.0.0.1:80", "127.0.0.1", null, true)]
    [InlineData("127.0.0.1:81", "127.0.0.1", null, false)]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", null, true)]
    [InlineData("localhost", "127.0.0.1", "localhost", true)]
    [InlineData("*.internal", "127.0.0.1", "db.internal", true)]
    [InlineData("*.internal", "127.0.0.1", "innocent.example", false)]
    public void The_guard_yields_to_what_is_named(string allow, string address, string? name, bool expected) =>
        Assert.Equal(expected, Allows(Policy(guarded: true, allow: allow), address, name));

    [Theory]
    [InlineData("192.0.2.0/24", "192.0.2.5", null)]
    [InlineData("*", "192.0.2.5", null)]
    [InlineData("192.0.2.5:80", "192.0.2.5", null)]
    [InlineData("bad.example", "192.0.2.5", "bad.example")]
    [InlineData("192.0.2.0/24", "192.0.2.5", "renamed.example")]
    [InlineData("192.0.2.0/24", "::ffff:192.0.2.5", null)]
    public void Deny_comes_first(string deny, string address, string? name)
    {
        Assert.False(Allows(Policy(guarded: false, deny: deny), address, name));
        Assert.False(Allows(Policy(guarded: false, allow: "*", deny: deny), address, name));
        Assert.False(Allows(Policy(guarded: true, allow: "192.0.2.5", deny: deny), address, name));
    }

    [Fact]
    public void With_allow_patterns_one_must_match()
    {
        DestinationPolicy policy = Policy(guarded: false, allow: "192.0.2.0/24");
        Assert.True(Allows(policy, "192.0.2.5"));
        Assert.True(Allows(policy, "192.0.2.5", "somewhere.example"));
        Assert.False(Allows(policy, "198.51.100.1"));
        Assert.False(policy.AllowsUnixSockets);
    }

    [Fact]
    public void Of_several_addresses_the_allowed_ones_are_left()
    {
        DestinationPolicy policy = Policy(guarded: true);
        IPAddress[] resolved = [IPAddress.Loopback, IPAddress.Parse("192.0.2.1"), IPAddress.IPv6Loopback, IPAddress.Parse("2001:db8::1")];
        Assert.Equal([resolved[1], resolved[3]], policy.Filter(new HostEndpoint("mixed.example", 80), resolved));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("192.0.2.1", true)]
    public void A_next_hop_is_asked_only_for_what_may_be_allowed(string host, bool expected) =>
        Assert.Equal(expected, Policy(guarded: true).AllowsUnresolved(new HostEndpoint(host, 80)));

    [Fact]
    public void Denied_names_are_not_asked_of_a_next_hop() =>
        Assert.False(Policy(guarded: false, deny: "*.example").AllowsUnresolved(new HostEndpoint("bad.example", 80)));

    [Fact]
    public void Unix_sockets_are_for_services_without_guard_and_list()
    {
        Assert.True(Policy(guarded: false).AllowsUnixSockets);
        Assert.True(DestinationPolicy.AllowAll.AllowsUnixSockets);
        Assert.False(Policy(guarded: true).AllowsUnixSockets);
        Assert.False(Policy(guarded: false, allow: "*").AllowsUnixSockets);
    }

    // what a header can say, as a server with strangers before it meets it: every way to this machine is closed
    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST")]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("2130706433")]
    [InlineData("0")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task No_name_leads_a_stranger_back_to_this_machine(string host)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { LocalAddress = "0.0.0.0", AllowAnonymous = true });

        RelayResponse answer = await AskAsync(server, TransportAddress.Tcp(new HostEndpoint(host, origin.Port)));

        Assert.Equal(ProxyErrorReason.Forbidden, answer.Reason);
        Assert.Equal(0, origin.Accepted);
        Assert.Equal(ProxyErrorReason.Forbidden, (await House.EventAsync(server, ProxyEventKind.Refused)).Reason);
    }

    [Fact]
    public async Task A_stranger_reaches_no_unix_socket()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { LocalAddress = "0.0.0.0", AllowAnonymous = true });
        Assert.Equal(ProxyErrorReason.Forbidden, (await AskAsync(server, TransportAddress.Unix("/var/run/docker.sock"))).Reason);
    }

    [Fact]
    public async Task A_name_that_is_allowed_leads_to_this_machine()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(
            o => o with { LocalAddress = "0.0.0.0", AllowAnonymous = true, AllowDestination = [DestinationPattern.Parse("localhost")] });
        Assert.Equal(ProxyErrorReason.None, (await AskAsync(server, TransportAddress.Tcp(new HostEndpoint("localhost", origin.Port)))).Reason);
        Assert.Equal(ProxyErrorReason.Forbidden, (await AskAsync(server, TransportAddress.Tcp(origin.Endpoint))).Reason);
    }

    private static async Task<RelayResponse> AskAsync(ProxyServer server, TransportAddress next)
    {
        var header = new byte[1024];
        int length = RelayRequestCodec.Write(header, new RelayRequest { Command = RelayCommand.Connect, Nonce = 7, Timestamp = DateTimeOffset.UtcNow, Next = next }, null);
        using Client client = await Client.ConnectAsync(server.LocalPort);
        await client.SendAsync(header.AsMemory(0, length));
        client.EndSending();
        return RelayResponseCodec.Read(await client.ReadToEndAsync(), 7, null, out string fault) ?? throw new InvalidDataException(fault);
    }

    private static bool Allows(DestinationPolicy policy, string address, string? asName = null) =>
        policy.Allows(new HostEndpoint(asName ?? address, 80), IPAddress.Parse(address));

    private static DestinationPolicy Policy(bool guarded, string? allow = null, string? deny = null) => new(Patterns(allow), Patterns(deny), guarded);

    private static IEnumerable<DestinationPattern> Patterns(string? text) => text is null ? [] : [DestinationPattern.Parse(text)];
}
