using System.Collections;
using System.Management.Automation;
using ProxyShell.Engine.Chains;

namespace ProxyShell.Arguments;

/// <summary>A chain as users write it: a ProxyChain, one hop in any form, an array of hops (an array in it is a group of alternates), or the word <c>direct</c>.</summary>
public sealed class ChainArgument
{
    private readonly object? _value;

    /// <summary>A hop URI, or <c>direct</c>.</summary>
    public ChainArgument(string hop) => _value = hop;

    /// <summary>Anything else that is or makes a chain.</summary>
    public ChainArgument(object value) => _value = value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    /// <summary>What the user gave, for error records; keys in it are masked.</summary>
    internal object? Target => _value is string ? ToString() : _value is IEnumerable ? ToString() : _value;

    /// <summary>Whether it is an array without anything in it.</summary>
    internal bool IsEmpty => _value is ICollection { Count: 0 };

    /// <summary>The chain meant.</summary>
    /// <exception cref="FormatException">It is no chain, or an empty array: traffic that was to be hidden would go directly.</exception>
    internal ProxyChain Resolve()
    {
        if (_value is ProxyChain chain) return chain;
        if (_value is string text && text.Trim().Equals("direct", StringComparison.OrdinalIgnoreCase)) return ProxyChain.Direct;
        HopArgument[] items = [.. Items()];
        HopGroup[] places = [.. items.SelectMany(new PlaceReader().Read)];
        if (places.Length == 0) throw new FormatException("The chain has no hops. For a direct connection leave -Chain out or say -Chain direct.");
        return new ProxyChain(places) { PayloadKey = HopArgument.PayloadKeyOf(items) };
    }

    /// <summary>The hops as the user wrote them, with keys masked.</summary>
    public override string ToString() => _value is ProxyChain chain ? chain.ToString() : string.Join(" > ", Items());

    private IEnumerable<HopArgument> Items() =>
        _value is IEnumerable list and not string ? list.Cast<object>().Select(item => new HopArgument(item)) : [new HopArgument(_value!)];
}
