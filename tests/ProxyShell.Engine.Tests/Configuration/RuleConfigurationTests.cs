using ProxyShell.Engine.Access;
using ProxyShell.Engine.Configuration;

namespace ProxyShell.Engine.Tests.Configuration;

public class RuleConfigurationTests
{
    [Fact]
    public void Rules_are_read_in_their_order()
    {
        AccessListenerOptions options = Read("""
            [ { "destination": ["*.ads.example", "203.0.113.0/24"], "block": true },
              { "destination": ["10.0.0.0/8"], "port": [22, "8000-8099"], "direct": true, "block": false },
              { "port": [443], "chain": ["socks5://h", "http://i"] } ], "blockByDefault": true
            """);
        Assert.Equal(
            ["block *.ads.example, 203.0.113.0/24", "direct 10.0.0.0/8 port 22, 8000-8099", "socks5://h:1080 > http://i:80 for * port 443"],
            options.Rules.Select(rule => rule.ToString()));
        Assert.True(options.BlockByDefault);
    }

    [Fact]
    public void Without_rules_everything_takes_the_chain()
    {
        AccessListenerOptions options = Read("null");
        Assert.Empty(options.Rules);
        Assert.False(options.BlockByDefault);
    }

    [Theory]
    [InlineData("{}", "", "must say one thing to do")]
    [InlineData("""{ "block": true, "direct": true }""", "", "must say one thing to do")]
    [InlineData("""{ "block": true, "chain": ["http://h"] }""", "", "must say one thing to do")]
    [InlineData("""{ "chain": [] }""", ".chain", "has no hops; make it a rule for direct connections.")]
    [InlineData("""{ "chain": ["h"] }""", ".chain[0]", "is not a hop URI")]
    [InlineData("""{ "block": true, "port": [80, "x"] }""", ".port[1]", "'x' is not a port or a range of ports")]
    [InlineData("""{ "block": true, "port": [65536] }""", ".port[0]", "65536")]
    [InlineData("""{ "block": true, "port": [[]] }""", ".port[0]", "must be a port or a range of ports in quotes, not an array.")]
    [InlineData("""{ "block": true, "port": 80 }""", ".port", "must be an array in [brackets], not the number 80.")]
    [InlineData("""{ "block": true, "destination": ["a:b:c"] }""", ".destination[0]", "is not a destination pattern")]
    [InlineData("""{ "block": true, "Destination": ["a"] }""", ".Destination", "is not known here; write 'destination'.")]
    public void A_fault_in_a_rule_is_told_with_its_place(string rule, string place, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => Read($$"""[{ "direct": true }, {{rule}}]"""));
        Assert.Equal("$.accessListeners[0].rules[1]" + place, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
    }

    private static AccessListenerOptions Read(string rules) =>
        Assert.Single(ProxyConfiguration.Parse($$"""{ "accessListeners": [{ "rules": {{rules}} }] }""", "px.json").AccessListeners);
}
