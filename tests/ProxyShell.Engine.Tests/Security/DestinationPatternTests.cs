using System.Net;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class DestinationPatternTests
{
    [Theory]
    // names and wildcards
    [InlineData("example.com", "example.com", 80, true)]
    [InlineData("example.com", "EXAMPLE.com", 80, true)]
    [InlineData("Example.COM", "example.com", 80, true)]
    [InlineData("example.com", "example.com.", 80, true)]
    [InlineData("example.com.", "example.com", 80, true)]
    [InlineData("example.com", "www.example.com", 80, false)]
    [InlineData("example.com", "example.com.evil.test", 80, false)]
    [InlineData("*.example.com", "www.example.com", 80, true)]
    [InlineData("*.example.com", "a.b.example.com", 80, true)]
    [InlineData("*.example.com", "example.com", 80, false)]
    [InlineData("*.example.com", "notexample.com", 80, false)]
    [InlineData("web?.lan", "web1.lan", 80, true)]
    [InlineData("web?.lan", "web.lan", 80, false)]
    [InlineData("*", "anything.test", 1, true)]
    [InlineData("*", "192.0.2.1", 65535, true)]
    [InlineData(" example.com ", "example.com", 80, true)]
    // domains with all names below them
    [InlineData(".example.com", "example.com", 80, true)]
    [InlineData(".example.com", "a.b.EXAMPLE.com.", 80, true)]
    [InlineData(".example.com", "notexample.com", 80, false)]
    [InlineData(".example.com", "example.com.evil.test", 80, false)]
    [InlineData(".example.com:443", "www.example.com", 443, true)]
    [InlineData(".example.com:443", "www.example.com", 80, false)]
    // addresses
    [InlineData("192.0.2.7", "192.0.2.7", 22, true)]
    [InlineData("192.0.2.7", "192.0.2.8", 22, false)]
    [InlineData("127.0.0.1", "127.1", 22, true)]
    [InlineData("127.0.0.1", "2130706433", 22, true)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", 22, true)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", 22, true)]
    [InlineData("::1", "::1", 22, true)]
    [InlineData("::1", "0:0:0:0:0:0:0:1", 22, true)]
    [InlineData("[::1]", "::1", 22, true)]
    [InlineData("::1", "127.0.0.1", 22, false)]
    // networks
    [InlineData("10.0.0.0/8", "10.255.0.1", 80, true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", 80, false)]
    [InlineData("10.1.2.3/8", "10.200.0.1", 80, true)]
    [InlineData("10.0.0.0/8", "::ffff:10.0.0.1", 80, true)]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", 80, true)]
    [InlineData("::ffff:10.0.0.0/104", "11.9.9.9", 80, false)]
    [InlineData("192.0.2.128/25", "192.0.2.127", 80, false)]
    [InlineData("192.0.2.128/25", "192.0.2.200", 80, true)]
    [InlineData("0.0.0.0/0", "203.0.113.9", 80, true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", 80, false)]
    [InlineData("0.0.0.0/0", "example.com", 80, false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", 80, true)]
    [InlineData("2001:db8::/32", "2001:db9::1", 80, false)]
    [InlineData("[2001:db8::]/32", "2001:db8::9", 80, true)]
    [InlineData("::/0", "2001:db8::9", 80, true)]
    // ports and ranges
    [InlineData("192.0.2.7:22", "192.0.2.7", 22, true)]
    [InlineData("192.0.2.7:22", "192.0.2.7", 23, false)]
    [InlineData("*:80-443", "example.com", 80, true)]
    [InlineData("*:80-443", "example.com", 443, true)]
    [InlineData("*:80-443", "example.com", 79, false)]
    [InlineData("*:80-443", "example.com", 444, false)]
    [InlineData("example.com:*", "example.com", 9999, true)]
    [InlineData("[2001:db8::1]:443", "2001:db8::1", 443, true)]
    [InlineData("[2001:db8::1]:443", "2001:db8::1", 80, false)]
    [InlineData("[2001:db8::]/32:443", "2001:db8::5", 443, true)]
    [InlineData("[2001:db8::]/32:443", "2001:db8::5", 444, false)]
    [InlineData("10.0.0.0/8:0-1023", "10.0.0.5", 1023, true)]
    [InlineData("10.0.0.0/8:0-1023", "10.0.0.5", 1024, false)]
    public void A_host_as_the_client_wrote_it_matches(string pattern, string host, int port, bool expected) =>
        Assert.Equal(expected, DestinationPattern.Parse(pattern).Matches(host, port));

    [Theory]
    [InlineData("127.0.0.0/8", "127.0.0.1", 80, true)]
    [InlineData("127.0.0.0/8", "::ffff:127.0.0.1", 80, true)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1", 80, true)]
    [InlineData("127.0.0.0/8:81", "127.0.0.1", 80, false)]
    [InlineData("fe80::/10", "fe80::1%1", 80, true)]
    [InlineData("*", "192.0.2.1", 80, true)]
    [InlineData("*:443", "192.0.2.1", 80, false)]
    [InlineData("example.com", "192.0.2.1", 80, false)]
    [InlineData("192.*", "192.0.2.1", 80, false)]
    public void An_address_that_a_name_resolved_to_matches(string pattern, string address, int port, bool expected) =>
        Assert.Equal(expected, DestinationPattern.Parse(pattern).Matches(IPAddress.Parse(address), port));

    [Theory]
    [InlineData("", "it has no host part")]
    [InlineData("  ", "it has no host part")]
    [InlineData(":80", "it has no host part")]
    [InlineData("[]", "it has no host part")]
    [InlineData("host:", "'' is not a port or a range of ports such as 80-443")]
    [InlineData("host:http", "'http' is not a port or a range of ports such as 80-443")]
    [InlineData("host:70000", "'70000' is not a port or a range of ports such as 80-443")]
    [InlineData("host:-1", "'-1' is not a port or a range of ports such as 80-443")]
    [InlineData("host:443-80", "'443-80' is not a port or a range of ports such as 80-443")]
    [InlineData("host:1-2-3", "'1-2-3' is not a port or a range of ports such as 80-443")]
    [InlineData("host:80-", "'80-' is not a port or a range of ports such as 80-443")]
    [InlineData("10.0.0.0/33", "'10.0.0.0/33' is not a network such as 10.0.0.0/8")]
    [InlineData("10.0.0.0/", "'10.0.0.0/' is not a network such as 10.0.0.0/8")]
    [InlineData("10.0.0.0/-1", "'10.0.0.0/-1' is not a network such as 10.0.0.0/8")]
    [InlineData("2001:db8::/129", "'2001:db8::/129' is not a network such as 10.0.0.0/8")]
    [InlineData("example.com/8", "'example.com/8' is not a network such as 10.0.0.0/8")]
    [InlineData("2001:db8::g", "it is neither an IPv6 address nor host:port")]
    [InlineData(".", "a pattern that begins with a dot is a domain without wildcards such as .example.com")]
    [InlineData(".*.com", "a pattern that begins with a dot is a domain without wildcards such as .example.com")]
    [InlineData("a:b:c", "it is neither an IPv6 address nor host:port")]
    public void A_wrong_text_is_named_with_its_fault(string text, string fault) =>
        Assert.Equal($"'{text}' is not a destination pattern: {fault}.", Assert.Throws<FormatException>(() => DestinationPattern.Parse(text)).Message);

    [Theory]
    [InlineData("*", true)]
    [InlineData("*:80", true)]
    [InlineData("*.com", false)]
    [InlineData("0.0.0.0/0", false)]
    public void Only_a_lone_star_means_every_host(string text, bool expected) =>
        Assert.Equal(expected, DestinationPattern.Parse(text).MatchesEveryHost);

    [Fact]
    public void A_pattern_shows_as_it_was_written() => Assert.Equal("[2001:db8::]/32:443", DestinationPattern.Parse("[2001:db8::]/32:443").ToString());
}
