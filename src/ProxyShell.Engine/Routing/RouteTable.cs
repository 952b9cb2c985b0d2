using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Routing;

/// <summary>
/// What a service goes by when it chooses the way to a destination; immutable. The first rule that matches decides; when none does, the
/// default chain is taken, or the destination is blocked.
/// </summary>
internal sealed class RouteTable
{
    private readonly ProxyRule[] _rules;
    private readonly Route[] _routes;
    private readonly Route _defaultRoute;

    public RouteTable(DestinationPolicy policy, ProxyChain defaultChain, IReadOnlyList<ProxyRule> rules, bool blockByDefault)
    {
        (Policy, DefaultChain, BlockByDefault, _rules) = (policy, defaultChain, blockByDefault, [.. rules]);
        _routes = [.. _rules.Select((rule, index) => RouteOf(rule.Chain, index))];
        _defaultRoute = RouteOf(defaultChain, _rules.Length);
    }

    /// <summary>Which destinations are allowed at all, whatever the rules say.</summary>
    public DestinationPolicy Policy { get; }

    /// <summary>The chain that is taken when no rule matches.</summary>
    public ProxyChain DefaultChain { get; }

    /// <summary>Whether what no rule matches is blocked.</summary>
    public bool BlockByDefault { get; }

    public IReadOnlyList<ProxyRule> Rules => _rules;

    /// <summary>Chains that the service takes besides, at its own choice.</summary>
    public IReadOnlyList<ProxyChain> MoreChains { get; init; } = [];

    /// <summary>Every chain that may be taken.</summary>
    public IEnumerable<ProxyChain> Chains =>
        _rules.Where(rule => rule.Action == ProxyRuleAction.Chain).Select(rule => rule.Chain).Concat(BlockByDefault ? [] : [DefaultChain]).Concat(MoreChains);

    /// <summary>The way to a destination.</summary>
    /// <exception cref="ProxyException">A rule, or that there is none for it, blocks the destination.</exception>
    public Route Choose(TransportAddress destination) => _rules.Length == 0 && !BlockByDefault ? _defaultRoute : Decide(destination);

    private Route Decide(TransportAddress destination)
    {
        int index = Array.FindIndex(_rules, rule => rule.Matches(destination));
        if (index < 0) return BlockByDefault ? throw Blocked(destination, "no rule allows it") : _defaultRoute;
        return _rules[index].Action == ProxyRuleAction.Block ? throw Blocked(destination, BlockedBy(_rules[index])) : _routes[index];
    }

    private static ProxyException Blocked(TransportAddress destination, string why) =>
        new(ProxyErrorReason.Forbidden, ProxyStage.Policy, HopNaming.Destination(destination), why);

    private static string BlockedBy(ProxyRule rule) => $"blocked by the rule '{rule}'";

    // through a chain the last hop resolves names; what is dialled here has to pass the rules before the one that decided
    private Route RouteOf(ProxyChain chain, int decided)
    {
        bool mayObject = chain.Count == 0 && Array.Exists(_rules[..decided], rule => rule.Action == ProxyRuleAction.Block);
        return new Route(chain, mayObject ? Policy.With(new BlockRules(_rules[..decided])) : Policy);
    }

    /// <summary>The rules before the one that decided by name, applied to the addresses of the name.</summary>
    private sealed class BlockRules(ProxyRule[] rules) : IAddressVeto
    {
        public string? Objection(HostEndpoint destination, IPAddress address)
        {
            ProxyRule? first = Array.Find(rules, rule => rule.Matches(address, destination.Port));
            return first is { Action: ProxyRuleAction.Block } ? $"its address {address} is {BlockedBy(first)}" : null;
        }
    }
}
