using System.Net;

namespace ProxyShell.Engine.Security;

/// <summary>Addresses that clients come from: one address or a CIDR network, <c>192.0.2.7</c>, <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>.</summary>
public sealed class SourceNetwork : IEquatable<SourceNetwork>
{
    private readonly string _text;
    private readonly IPNetwork _network;

    private SourceNetwork(string text, IPNetwork network) => (_text, _network) = (text, network);

    /// <summary>Reads an address or a network.</summary>
    /// <exception cref="FormatException">The text is neither; the message names it.</exception>
    public static SourceNetwork Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string bare = text.Trim().Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        return Cidr.TryParse(bare, out IPNetwork network)
            ? new SourceNetwork(text.Trim(), network)
            : throw new FormatException($"'{text}' is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32.");
    }

    /// <summary>Whether the address is one of these; an IPv4 address mapped into IPv6 counts as the IPv4 address.</summary>
    public bool Contains(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Cidr.Holds(_network, address);
    }

    /// <summary>Whether it is written in the same way.</summary>
    public bool Equals(SourceNetwork? other) => other is not null && _text == other._text;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as SourceNetwork);

    /// <inheritdoc />
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The text that was read.</summary>
    public override string ToString() => _text;
}
