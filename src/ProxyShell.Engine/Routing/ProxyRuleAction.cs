namespace ProxyShell.Engine.Routing;

/// <summary>What a rule does with the destinations that it matches.</summary>
public enum ProxyRuleAction
{
    /// <summary>They are connected to without a chain.</summary>
    Direct,

    /// <summary>They are refused.</summary>
    Block,

    /// <summary>They are reached through the rule's chain.</summary>
    Chain,
}
