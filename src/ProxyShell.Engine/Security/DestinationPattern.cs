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
        if (Cidr.TryParse(host, out IPNetwork network)) _network = network;
        else if (host.Contains('/', StringComparison.Ordinal)) throw Fault(text, $"'{host}' is not a network such as 10.0.0.0/8");
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

    private bool InNetwork(IPAddress address) => _network is { } network && Cidr.Holds(network, address);

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

    private static FormatException Fault(string text, string why) => new($"'{text}' is not a destination pattern: {why}.");
}
