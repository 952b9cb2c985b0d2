using System.Globalization;
using System.IO.Enumeration;
using System.Net;

namespace ProxyShell.Engine.Security;

/// <summary>
/// One pattern of destinations: a name (<c>*</c> and <c>?</c> are wildcards), an address, or a CIDR network, optionally with a
/// port or a range of ports: <c>*.example.com</c>, <c>10.0.0.0/8</c>, <c>192.0.2.7:22</c>, <c>[2001:db8::]/32</c>,
/// <c>[2001:db8::1]:443</c>, <c>*:80-443</c>.
/// </summary>
public sealed class DestinationPattern
{
    // the length of ::ffff:0:0/96
    private const int MappedPrefix = 96;

    private readonly string _text;
    private readonly string? _name;
    private readonly IPNetwork? _network;
    private readonly int _firstPort;
    private readonly int _lastPort = 65535;

    private DestinationPattern(string text)
    {
        _text = text;
        string host = text.Trim();
        if (SplitPorts(host, out string left, out string ports))
        {
            host = left;
            (_firstPort, _lastPort) = ReadPorts(text, ports);
        }
        host = host.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        if (host.Length == 0) throw Fault(text, "it has no host part");
        if (IPAddress.TryParse(host, out IPAddress? address)) _network = Network(address, address.GetAddressBytes().Length * 8);
        else if (host.Contains('/', StringComparison.Ordinal)) _network = ReadNetwork(text, host);
        else if (host.Contains(':', StringComparison.Ordinal)) throw Fault(text, "it is neither an IPv6 address nor host:port");
        else _name = host.TrimEnd('.');
    }

    /// <summary>True for <c>*</c>, which matches every host.</summary>
    public bool MatchesEveryHost => _name == "*";

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
        if (port < _firstPort || port > _lastPort) return false;
        if (_name is not null) return FileSystemName.MatchesSimpleExpression(_name, host.TrimEnd('.'), ignoreCase: true);
        return IPAddress.TryParse(host, out IPAddress? address) && InNetwork(address);
    }

    /// <summary>Whether an address that a name resolved to, and the port, match.</summary>
    public bool Matches(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        return port >= _firstPort && port <= _lastPort && (MatchesEveryHost || InNetwork(address));
    }

    /// <inheritdoc />
    public override string ToString() => _text;

    private bool InNetwork(IPAddress address) =>
        _network is { } network && network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool SplitPorts(string text, out string host, out string ports)
    {
        int colon = text.LastIndexOf(':');
        bool one = colon >= 0 && text.IndexOf(':', StringComparison.Ordinal) == colon;
        bool bracketed = colon > 0 && text.StartsWith('[') && text.LastIndexOf(']') < colon;
        (host, ports) = one || bracketed ? (text[..colon], text[(colon + 1)..]) : (text, "");
        return one || bracketed;
    }

    private static (int First, int Last) ReadPorts(string text, string ports)
    {
        string[] parts = ports.Split('-');
        if (ports == "*") return (0, 65535);
        if (parts.Length > 2 || !TryPort(parts[0], out int first) || !TryPort(parts[^1], out int last) || first > last)
            throw Fault(text, $"'{ports}' is not a port or a range of ports such as 80-443");
        return (first, last);
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535;

    private static IPNetwork ReadNetwork(string text, string network)
    {
        int slash = network.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(network.AsSpan(0, slash), out IPAddress? address)
            || !int.TryParse(network.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int prefix)
            || prefix > address.GetAddressBytes().Length * 8)
        {
            throw Fault(text, $"'{network}' is not a network such as 10.0.0.0/8");
        }
        // 10.1.2.3/8 means 10.0.0.0/8: the bits below the prefix say nothing
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefix; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return Network(new IPAddress(bytes), prefix);
    }

    // mapped addresses are compared as the IPv4 addresses they are, so a mapped pattern must be one too
    private static IPNetwork Network(IPAddress address, int prefix) =>
        address.IsIPv4MappedToIPv6 && prefix >= MappedPrefix ? new IPNetwork(address.MapToIPv4(), prefix - MappedPrefix) : new IPNetwork(address, prefix);

    private static FormatException Fault(string text, string why) => new($"'{text}' is not a destination pattern: {why}.");
}
