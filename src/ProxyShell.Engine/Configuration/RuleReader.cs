using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>Reads rules: objects with the destinations and ports meant, and one of <c>"direct": true</c>, <c>"block": true</c> and <c>"chain"</c>.</summary>
internal static class RuleReader
{
    public static IReadOnlyList<ProxyRule> Read(ConfigurationSection section) =>
        [.. section.Items("rules").Select(item => ReadRule(new ConfigurationSection(section.Source, item.Path, item.Value)))];

    private static ProxyRule ReadRule(ConfigurationSection rule)
    {
        IReadOnlyList<DestinationPattern> destination = PatternReader.Read(rule, "destination");
        PortRange[] ports = PortReader.Read(rule, "port");
        bool direct = rule.Flag("direct") ?? false, block = rule.Flag("block") ?? false;
        bool chained = rule.TryGet("chain", out _);
        ProxyChain chain = ChainReader.Read(rule);
        rule.RejectUnknown();
        return (direct, block, chained) switch
        {
            (true, false, false) => ProxyRule.Direct(destination, ports),
            (false, true, false) => ProxyRule.Block(destination, ports),
            (false, false, true) => rule.Source.Locate(rule.At("chain"), () => ProxyRule.Through(chain, destination, ports)),
            _ => throw rule.Source.Fault(rule.Path, "must say one thing to do: \"direct\": true, \"block\": true, or a \"chain\"."),
        };
    }
}
