using System.Net;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Routing;

/// <summary>
/// What happens to some destinations: direct, block, or a chain. A rule matches when one of its patterns matches (or it has none) and the
/// port lies in one of its ranges (or it has none). Of several rules the first that matches decides. Immutable.
/// </summary>
public sealed class ProxyRule
{
    private readonly DestinationPattern[] _destination;
    private readonly PortRange[] _ports;
    private string? _text;

    private ProxyRule(ProxyRuleAction action, ProxyChain chain, IEnumerable<DestinationPattern>? destination, IEnumerable<PortRange>? ports) =>
        (Action, Chain, _destination, _ports) = (action, chain, [.. destination ?? []], [.. ports ?? []]);

    /// <summary>What happens.</summary>
    public ProxyRuleAction Action { get; }

    /// <summary>The chain that is taken; the direct one unless <see cref="Action"/> says Chain.</summary>
    public ProxyChain Chain { get; }

    /// <summary>The destinations meant; none means all.</summary>
    public IReadOnlyList<DestinationPattern> Destination => _destination;

    /// <summary>The ports meant, besides those that the patterns name themselves; none means all.</summary>
    public IReadOnlyList<PortRange> Ports => _ports;

    /// <summary>A rule that connects directly.</summary>
    public static ProxyRule Direct(IEnumerable<DestinationPattern>? destination = null, IEnumerable<PortRange>? ports = null) =>
        new(ProxyRuleAction.Direct, ProxyChain.Direct, destination, ports);

    /// <summary>A rule that refuses.</summary>
    public static ProxyRule Block(IEnumerable<DestinationPattern>? destination = null, IEnumerable<PortRange>? ports = null) =>
        new(ProxyRuleAction.Block, ProxyChain.Direct, destination, ports);

    /// <summary>A rule that takes a chain.</summary>
    /// <exception cref="FormatException">The chain has no hops: what was to go through a chain would go directly.</exception>
    public static ProxyRule Through(ProxyChain chain, IEnumerable<DestinationPattern>? destination = null, IEnumerable<PortRange>? ports = null)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return chain.Count > 0
            ? new ProxyRule(ProxyRuleAction.Chain, chain, destination, ports)
            : throw new FormatException("The chain of the rule has no hops; make it a rule for direct connections.");
    }

    /// <summary>Whether the rule decides about a destination as the client named it. Names are not resolved: networks match addresses only.</summary>
    public bool Matches(HostEndpoint destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return HasPort(destination.Port) && (_destination.Length == 0 || Array.Exists(_destination, p => p.Matches(destination.Host, destination.Port)));
    }

    /// <summary>Whether the rule matches an address that a name resolved to.</summary>
    internal bool Matches(IPAddress address, int port) =>
        HasPort(port) && (_destination.Length == 0 || Array.Exists(_destination, p => p.Matches(address, port)));

    /// <summary>A Unix socket has neither host nor port: only a rule for everything matches it.</summary>
    internal bool Matches(TransportAddress address) => address.Endpoint is { } endpoint
        ? Matches(endpoint)
        : _ports.Length == 0 && (_destination.Length == 0 || Array.Exists(_destination, p => p.MatchesEverything));

    /// <summary>This rule as it goes on from earlier ones: with the chain of the one for the same destinations, or that one itself when it is the same.</summary>
    internal ProxyRule Continuing(IReadOnlyList<ProxyRule> earlier)
    {
        ProxyRule? old = earlier.FirstOrDefault(rule => rule.Action == Action && rule._destination.SequenceEqual(_destination) && rule._ports.SequenceEqual(_ports));
        if (old is null) return this;
        ProxyChain chain = Chain.Continuing(old.Chain);
        return ReferenceEquals(chain, old.Chain) ? old : new ProxyRule(Action, chain, _destination, _ports);
    }

    /// <summary>The rule in words: <c>block *.example.com, 10.0.0.0/8 port 25, 6000-6063</c>.</summary>
    public override string ToString() => _text ??= Describe();

    private string Describe()
    {
        string what = Action == ProxyRuleAction.Chain ? $"{Chain} for" : Action == ProxyRuleAction.Block ? "block" : "direct";
        string where = _destination.Length == 0 ? "*" : string.Join(", ", _destination.Select(p => p.ToString()));
        return _ports.Length == 0 ? $"{what} {where}" : $"{what} {where} port {string.Join(", ", _ports)}";
    }

    private bool HasPort(int port) => _ports.Length == 0 || Array.Exists(_ports, range => range.Contains(port));
}
