using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Routing;

public class RouteTableTests
{
    private const string ByDefault = "default";

    private static readonly ProxyChain Default = ChainTo("default"), East = ChainTo("east"), West = ChainTo("west");

    // a site's table; the order matters in several places
    private static readonly ProxyRule[] Table =
    [
        Rule("direct", "intranet.example, .lan"),
        Rule("block", "*", "25, 135-139, 445"),
        Rule("direct", "10.20.0.0/16"),
        Rule("block", "10.0.0.0/8, 192.168.0.0/16, [fd00::]/8"),
        Rule("east", "*.east.example, host?.example"),
        Rule("block", "*.example:8080, ads.*"),
        Rule("west", "198.51.100.0/25, [2001:db8:aa::]/48:443, 203.0.113.7", "443, 8000-8099"),
        Rule("block", "::ffff:203.0.113.0/120"),
    ];

    [Theory]
    // names, without regard to case and to the dot of the root
    [InlineData("intranet.example:80", "direct intranet.example, .lan")]
    [InlineData("INTRANET.Example:80", "direct intranet.example, .lan")]
    [InlineData("intranet.example.:80", "direct intranet.example, .lan")]
    [InlineData("www.intranet.example:80", ByDefault)]
    [InlineData("intranet.example.org:80", ByDefault)]
    // domains with all below them
    [InlineData("lan:80", "direct intranet.example, .lan")]
    [InlineData("printer.lan:631", "direct intranet.example, .lan")]
    [InlineData("a.b.LAN.:80", "direct intranet.example, .lan")]
    [InlineData("vlan:80", ByDefault)]
    [InlineData("lan.example.org:80", ByDefault)]
    // suffixes and single characters
    [InlineData("db.east.example:5432", "east *.east.example, host?.example")]
    [InlineData("a.b.east.example:5432", "east *.east.example, host?.example")]
    [InlineData("east.example:5432", ByDefault)]
    [InlineData("northeast.example:5432", ByDefault)]
    [InlineData("host7.example:22", "east *.east.example, host?.example")]
    [InlineData("host77.example:22", ByDefault)]
    [InlineData("ads.tracker.test:443", "block *.example:8080, ads.*")]
    // a port within the pattern
    [InlineData("www.example:8080", "block *.example:8080, ads.*")]
    [InlineData("www.example:8081", ByDefault)]
    // an earlier rule wins
    [InlineData("db.east.example:8080", "east *.east.example, host?.example")]
    [InlineData("mail.lan:25", "direct intranet.example, .lan")]
    [InlineData("mail.east.example:25", "block * port 25, 135-139, 445")]
    // ports and ranges
    [InlineData("anything.test:135", "block * port 25, 135-139, 445")]
    [InlineData("anything.test:139", "block * port 25, 135-139, 445")]
    [InlineData("anything.test:134", ByDefault)]
    [InlineData("anything.test:140", ByDefault)]
    [InlineData("[2001:db8::1]:445", "block * port 25, 135-139, 445")]
    [InlineData("198.51.100.9:8000", "west 198.51.100.0/25, [2001:db8:aa::]/48:443, 203.0.113.7 port 443, 8000-8099")]
    [InlineData("198.51.100.9:8099", "west 198.51.100.0/25, [2001:db8:aa::]/48:443, 203.0.113.7 port 443, 8000-8099")]
    [InlineData("198.51.100.9:8100", ByDefault)]
    // IPv4 networks, the narrower one first
    [InlineData("10.20.255.1:80", "direct 10.20.0.0/16")]
    [InlineData("10.21.0.1:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("192.168.255.255:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("192.169.0.0:80", ByDefault)]
    [InlineData("198.51.100.128:443", ByDefault)]
    // other ways to write an IPv4 address
    [InlineData("10.257:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("167772161:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("0x0a000001:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("10.0.0.1.:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    // mapped addresses are the IPv4 addresses they hold, in destinations and in patterns
    [InlineData("[::ffff:10.0.0.1]:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("[::ffff:a14:1]:80", "direct 10.20.0.0/16")]
    [InlineData("203.0.113.8:443", "block ::ffff:203.0.113.0/120")]
    [InlineData("203.0.113.7:443", "west 198.51.100.0/25, [2001:db8:aa::]/48:443, 203.0.113.7 port 443, 8000-8099")]
    // IPv6 networks; the port of the pattern and those of the rule must both agree
    [InlineData("[fd12:3456::1]:80", "block 10.0.0.0/8, 192.168.0.0/16, [fd00::]/8")]
    [InlineData("[fe00::1]:80", ByDefault)]
    [InlineData("[2001:db8:aa:ffff::1]:443", "west 198.51.100.0/25, [2001:db8:aa::]/48:443, 203.0.113.7 port 443, 8000-8099")]
    [InlineData("[2001:db8:aa::1]:8000", ByDefault)]
    [InlineData("[2001:db8:ab::1]:443", ByDefault)]
    // a name is no address, whatever it looks like
    [InlineData("10.0.0.1.example.org:80", ByDefault)]
    public void The_first_rule_that_matches_decides(string destination, string expected)
    {
        TransportAddress address = TransportAddress.Tcp(HostEndpoint.Parse(destination));
        var table = new RouteTable(DestinationPolicy.AllowAll, Default, Table, blockByDefault: false);

        Assert.Equal(expected, Decided(table, address));
        // and nothing passes a table that blocks by default but what a rule lets through
        string strict = Decided(new RouteTable(DestinationPolicy.AllowAll, Default, Table, blockByDefault: true), address);
        Assert.Equal(expected == ByDefault ? "no rule allows it" : expected, strict);
    }

    [Fact]
    public void A_block_names_destination_and_rule()
    {
        var table = new RouteTable(DestinationPolicy.AllowAll, Default, Table, blockByDefault: false);
        ProxyException error = Assert.Throws<ProxyException>(() => table.Choose(TransportAddress.Tcp(HostEndpoint.Parse("ads.example:443"))));
        Assert.Equal("destination ads.example:443: blocked by the rule 'block *.example:8080, ads.*'", error.Message);
        Assert.Equal((ProxyErrorReason.Forbidden, ProxyStage.Policy, null), (error.Reason, error.Stage, error.HopNumber));
    }

    [Theory]
    [InlineData("block", "10.0.0.0/8", "10.1.2.3", false)]
    [InlineData("block", "10.0.0.0/8", "::ffff:10.1.2.3", false)]
    [InlineData("block", "10.0.0.0/8", "192.0.2.1", true)]
    [InlineData("block", "[fd00::]/8", "fd00::9", false)]
    [InlineData("block", "10.0.0.0/8:22", "10.1.2.3", true)]
    [InlineData("direct", "10.0.0.0/8", "10.1.2.3", true)]
    public void A_name_does_not_lead_around_a_block(string action, string pattern, string address, bool allowed)
    {
        var destination = new HostEndpoint("innocent.test", 443);
        Route route = Choose(destination, Rule(action, pattern));
        Assert.Equal(allowed, route.Policy.Allows(destination, IPAddress.Parse(address)));
        if (!allowed) Assert.Equal($"its address {address} is blocked by the rule 'block {pattern}'", route.Policy.Objection(destination, IPAddress.Parse(address)));
    }

    [Fact]
    public void For_addresses_of_a_name_too_the_first_rule_decides()
    {
        var inside = new HostEndpoint("db.corp.test", 443);
        IPAddress there = IPAddress.Parse("10.0.0.5"), beside = IPAddress.Parse("10.0.0.6");
        ProxyRule named = Rule("direct", "*.corp.test"), exempt = Rule("direct", "10.0.0.5"), block = Rule("block", "10.0.0.0/8");

        Assert.True(Choose(inside, named, block).Policy.Allows(inside, there));
        Assert.False(Choose(inside, block, named).Policy.Allows(inside, there));
        Route route = Choose(inside, exempt, block, named);
        Assert.Equal([there], route.Policy.Filter(inside, [there, beside]));
    }

    [Fact]
    public void Through_a_chain_the_last_hop_resolves()
    {
        var destination = new HostEndpoint("innocent.test", 443);
        Assert.Same(DestinationPolicy.AllowAll, Choose(destination, Rule("block", "10.0.0.0/8"), Rule("east", "*")).Policy);
    }

    [Fact]
    public void Only_a_rule_for_everything_means_unix_sockets()
    {
        TransportAddress socket = TransportAddress.Unix("/run/some.sock");
        Assert.Throws<ProxyException>(() => Of(Rule("block", "*")).Choose(socket));
        Assert.Throws<ProxyException>(() => Of(ProxyRule.Block()).Choose(socket));
        Assert.Same(Default, Of(Rule("block", "*:80"), Rule("block", "*", "80"), Rule("block", "*.example, 0.0.0.0/0")).Choose(socket).Chain);
    }

    [Fact]
    public void A_rule_through_a_chain_needs_one() =>
        Assert.Contains("no hops", Assert.Throws<FormatException>(() => ProxyRule.Through(ProxyChain.Direct)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_rule_shows_in_words()
    {
        Assert.Equal("block *", ProxyRule.Block().ToString());
        Assert.Equal("relay://east:1 for *.example port 443", ProxyRule.Through(East, [DestinationPattern.Parse("*.example")], [new PortRange(443, 443)]).ToString());
    }

    private static Route Choose(HostEndpoint destination, params ProxyRule[] rules) =>
        new RouteTable(DestinationPolicy.AllowAll, ProxyChain.Direct, rules, blockByDefault: false).Choose(TransportAddress.Tcp(destination));

    private static RouteTable Of(params ProxyRule[] rules) => new(DestinationPolicy.AllowAll, Default, rules, blockByDefault: false);

    // the rule that decided, in words, with the chains' names instead of their hops
    private static string Decided(RouteTable table, TransportAddress destination)
    {
        try
        {
            ProxyChain chain = table.Choose(destination).Chain;
            if (chain == Default) return ByDefault;
            ProxyRule rule = table.Rules.First(r => r.Matches(destination));
            Assert.Same(rule.Chain, chain);
            return rule.Action == ProxyRuleAction.Chain ? rule.ToString().Replace($"relay://{Name(chain)}:1 for", Name(chain), StringComparison.Ordinal) : rule.ToString();
        }
        catch (ProxyException e)
        {
            return e.Detail.Replace("blocked by the rule '", "", StringComparison.Ordinal).TrimEnd('\'');
        }
    }

    private static ProxyRule Rule(string action, string patterns, string ports = "")
    {
        IEnumerable<DestinationPattern> destination = Split(patterns).Select(DestinationPattern.Parse);
        IEnumerable<PortRange> ranges = Split(ports).Select(PortRange.Parse);
        return action switch
        {
            "direct" => ProxyRule.Direct(destination, ranges),
            "block" => ProxyRule.Block(destination, ranges),
            _ => ProxyRule.Through(action == "east" ? East : West, destination, ranges),
        };
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static ProxyChain ChainTo(string host) => new(ProxyHop.Parse($"relay://{host}:1"));

    private static string Name(ProxyChain chain) => chain.Hops[0].Address.Endpoint!.Host;
}
