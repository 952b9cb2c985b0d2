using System.IO.Enumeration;
using System.Net;

namespace ProxyShell.Engine.Security;

/// <summary>
/// One pattern of destinations: a name (<c>*</c> and <c>?</c> are wildcards), a domain with all names below it, an address, or a CIDR
/// network, optionally with a port or a range of ports: <c>*.example.com</c> (names below only), <c>.example.com</c> (the domain too),
/// <c>10.0.0.0/8</c>, <c>192.0.2.7:22</c>, <c>[2001:db8::]/32</c>, <c>[2001:db8::1]:443</c>, <c>*:80-443</c>.
/// </summary>
public sealed class DestinationPattern : IEquatable<DestinationPattern>
{
    private readonly string _text;
    private readonly string? _name;
    private readonly IPNetwork? _network;
    private readonly string? _domain;
    private readonly PortRange _ports = PortRange.All;

    private DestinationPattern(string text)
    {
        _text = text;
        string host = text.Trim();
        if (SplitPorts(host, out string left, out string ports))
        {
            host = left;
            if (!PortRange.TryParse(ports, out _ports)) throw Fault(text, $"'{ports}' is not a port or a range of ports such as 80-443");
        }
        host = host.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        if (host.Length == 0) throw Fault(text, "it has no host part");
        if (Cidr.TryParse(host, out IPNetwork network)) _network = network;
        else if (host.Contains('/', StringComparison.Ordinal)) throw Fault(text, $"'{host}' is not a network such as 10.0.0.0/8");
        else if (host.Contains(':', StringComparison.Ordinal)) throw Fault(text, "it is neither an IPv6 address nor host:port");
        else if (host.StartsWith('.')) _domain = ReadDomain(text, host);
        else _name = host.TrimEnd('.');
    }

    /// <summary>True for <c>*</c>, which matches every host.</summary>
    public bool MatchesEveryHost => _name == "*";

    /// <summary>True for <c>*</c> without a port, which matches whatever there is.</summary>
    internal bool MatchesEverything => MatchesEveryHost && _ports.IsAll;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">The text is not a pattern; the message names it.</exception>
    public static DestinationPattern Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new DestinationPattern(text);
    }

    /// <summary>Whether the host as the client wrote it (a name or an address) and the port match.</summary>
    public bool Matches(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (!_ports.Contains(port)) return false;
        // a name may be written with the dot of the root at its end (RFC 1034 §3.1)
        ReadOnlySpan<char> bare = host.AsSpan().TrimEnd('.');
        if (_name is not null) return FileSystemName.MatchesSimpleExpression(_name, bare, ignoreCase: true);
        return _domain is null ? IPAddress.TryParse(bare, out IPAddress? address) && InNetwork(address) : InDomain(bare);
    }

    /// <summary>Whether an address that a name resolved to, and the port, match.</summary>
    public bool Matches(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        return _ports.Contains(port) && (MatchesEveryHost || InNetwork(address));
    }

    /// <summary>Whether it is written in the same way.</summary>
    public bool Equals(DestinationPattern? other) => other is not null && _text == other._text;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as DestinationPattern);

    /// <inheritdoc />
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc />
    public override string ToString() => _text;

    private bool InNetwork(IPAddress address) => _network is { } network && Cidr.Holds(network, address);

    private bool InDomain(ReadOnlySpan<char> name) =>
        name.EndsWith(_domain, StringComparison.OrdinalIgnoreCase) && (name.Length == _domain!.Length || name[^(_domain.Length + 1)] == '.');

    private static bool SplitPorts(string text, out string host, out string ports)
    {
        int colon = text.LastIndexOf(':');
        bool one = colon >= 0 && text.IndexOf(':', StringComparison.Ordinal) == colon;
        bool bracketed = colon > 0 && text.StartsWith('[') && text.LastIndexOf(']') < colon;
        (host, ports) = one || bracketed ? (text[..colon], text[(colon + 1)..]) : (text, "");
        return one || bracketed;
    }

    private static string ReadDomain(string text, string host)
    {
        string domain = host.Trim('.');
        return domain.Length > 0 && !domain.Contains('*', StringComparison.Ordinal) && !domain.Contains('?', StringComparison.Ordinal)
            ? domain
            : throw Fault(text, "a pattern that begins with a dot is a domain without wildcards such as .example.com");
    }

    private static FormatException Fault(string text, string why) => new($"'{text}' is not a destination pattern: {why}.");
}
