using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Hops in the order in which traffic passes them; immutable. <c>$a + $b</c> appends. Not a collection itself: PowerShell would
/// take it apart in the pipeline and add the hops instead of the chains.
/// </summary>
public sealed class ProxyChain
{
    /// <summary>The most hops a chain may have.</summary>
    public const int MaxHops = 32;

    private readonly ProxyHop[] _hops;
    private string? _text;

    /// <summary>Makes a chain; no hops at all means a direct connection.</summary>
    /// <exception cref="FormatException">More than <see cref="MaxHops"/> hops.</exception>
    public ProxyChain(params IEnumerable<ProxyHop> hops)
    {
        _hops = [.. hops];
        if (_hops.Length > MaxHops) throw new FormatException($"A chain has at most {MaxHops} hops, not {_hops.Length}.");
    }

    /// <summary>The chain without hops.</summary>
    public static ProxyChain Direct { get; } = new();

    /// <summary>The hops, first to last.</summary>
    public IReadOnlyList<ProxyHop> Hops => _hops;

    /// <summary>
    /// A key shared with the last hop that seals the payload between here and there, so that the hops between see nothing of it; null for none.
    /// </summary>
    /// <exception cref="FormatException">The last hop is not a relay hop.</exception>
    public ProxyKey? PayloadKey
    {
        get;
        init
        {
            if (value is not null && _hops.Length > 0 && _hops[^1].Protocol != HopProtocol.Relay)
                throw new FormatException($"A payload key is shared with the last hop of a chain, and {_hops[^1].Uri} is no relay hop.");
            field = value;
        }
    }

    internal ChainPath Path => new(_hops, PayloadKey);

    /// <summary>How many hops there are.</summary>
    public int Count => _hops.Length;

    /// <summary>The hops of both, in order.</summary>
    public static ProxyChain operator +(ProxyChain left, ProxyChain right) => Add(left, right);

    /// <summary>The chain with one more hop at its end.</summary>
    public static ProxyChain operator +(ProxyChain left, ProxyHop right) => Add(left, new ProxyChain(right));

    /// <summary>The hops of both, in order; the payload key is the right one's if it has one, else the left one's.</summary>
    public static ProxyChain Add(ProxyChain left, ProxyChain right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new ProxyChain([.. left._hops, .. right._hops]) { PayloadKey = right.PayloadKey ?? left.PayloadKey };
    }

    /// <summary>The hops' URIs without keys, or <c>direct</c>.</summary>
    public override string ToString() => _text ??= _hops.Length == 0 ? "direct" : string.Join(" > ", _hops.Select(hop => hop.Uri));
}
