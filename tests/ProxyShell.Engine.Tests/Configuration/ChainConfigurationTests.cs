using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Configuration;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Groups of alternates in a chain of a file.</summary>
public class ChainConfigurationTests
{
    [Theory]
    [InlineData("""["relay://a:1", "http://b"]""", "relay://a:1 > http://b:80")]
    [InlineData("""[["relay://a:1", "relay://b:1"], "http://c"]""", "(relay://a:1 | relay://b:1) > http://c:80")]
    [InlineData("""[[["relay://a:1", "relay://b:1"], { "uri": "socks5://c" }]]""", "(relay://a:1 > relay://b:1 | socks5://c:1080)")]
    [InlineData("""[{ "alternates": ["relay://a:1", { "hops": ["relay://b:1", "relay://c:1"] }] }]""", "(relay://a:1 | relay://b:1 > relay://c:1)")]
    [InlineData("""[["relay://a:1"]]""", "relay://a:1")]
    public void A_place_holds_a_hop_or_alternates(string chain, string shown) => Assert.Equal(shown, Read(chain).ToString());

    [Fact]
    public void A_group_says_how_to_choose()
    {
        HopGroup group = Assert.Single(Read("""
            [{ "selection": "Random", "alternates": ["http://a", { "uri": "http://b", "weight": 3 }, { "hops": ["http://c"], "weight": 5 }, ["http://d"]] }]
            """).Places);
        Assert.Equal((ChainSelection.Random, TimeSpan.FromSeconds(30)), (group.Selection, group.ProbeInterval));
        Assert.Equal([1, 3, 5, 1], group.Alternates.Select(alternate => alternate.Weight));
    }

    [Fact]
    public void A_group_says_how_often_to_probe() =>
        Assert.Equal(TimeSpan.FromMinutes(1), Read("""[{ "probeInterval": 60, "alternates": ["http://a", "http://b"] }]""").Places[0].ProbeInterval);

    [Theory]
    [InlineData("ordered", ChainSelection.Ordered)]
    [InlineData("roundRobin", ChainSelection.RoundRobin)]
    [InlineData("lowestLatency", ChainSelection.LowestLatency)]
    public void Each_selection_has_its_word(string word, ChainSelection selection) =>
        Assert.Equal(selection, Read($$"""[{ "selection": "{{word}}", "alternates": ["http://a", "http://b"] }]""").Places[0].Selection);

    [Theory]
    [InlineData("[[]]", "[0]", "A group has 1 to 64 alternates, not 0.")]
    [InlineData("""[{ "alternates": [] }]""", "[0]", "A group has 1 to 64 alternates, not 0.")]
    [InlineData("""[{ "alternates": {} }]""", "[0].alternates", "must be an array in [brackets], not an object.")]
    [InlineData("""["http://a", [[]]]""", "[1][0]", "An alternate without hops would go directly past the others")]
    [InlineData("""[[[["http://a"]]]]""", "[0][0][0]", "must be a hop URI in quotes or an object with a \"uri\", not an array.")]
    [InlineData("""[["http://a", 5]]""", "[0][1]", "must be a hop URI in quotes or an object with a \"uri\", not the number 5.")]
    [InlineData("""[{ "alternates": ["http://a", "b"] }]""", "[0].alternates[1]", "is not a hop URI")]
    [InlineData("""[{ "alternates": ["http://a"], "selection": "fastest" }]""", "[0].selection", "'fastest' is not a selection; ordered, roundRobin, random and lowestLatency are.")]
    [InlineData("""[{ "alternates": ["http://a"], "probeInterval": 0.5 }]""", "[0]", "The probe interval is '00:00:00.5000000'; it must be 1 second to 1 day.")]
    [InlineData("""[{ "alternates": ["http://a"], "Selection": "random" }]""", "[0].Selection", "is not known here; write 'selection'.")]
    [InlineData("""[[{ "uri": "http://a", "weight": 0 }]]""", "[0][0]", "The weight of an alternate is 1 to 1000000, not 0.")]
    [InlineData("""[[{ "hops": ["http://a"], "uri": "http://b" }]]""", "[0][0].uri", "is not known here")]
    [InlineData("""[{ "uri": "http://a", "weight": 2 }]""", "[0].weight", "is not known here")]
    public void A_fault_in_a_group_is_told_with_its_place(string chain, string place, string fault)
    {
        var error = Assert.Throws<ConfigurationException>(() => Read(chain));
        Assert.Equal("$.accessListeners[0].chain" + place, error.Path);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
    }

    private static ProxyChain Read(string chain) =>
        Assert.Single(ProxyConfiguration.Parse($$"""{ "accessListeners": [{ "destination": "h:1", "chain": {{chain}} }] }""", "px.json").AccessListeners).Chain;
}
