using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace ProxyShell.Engine.Addressing;

/// <summary>A host name or IP address with a port from 0 to 65535, written <c>host:port</c> or <c>[ipv6]:port</c>.</summary>
public sealed record HostEndpoint
{
    /// <summary>The longest host name the DNS allows (RFC 1035 §2.3.4), in characters.</summary>
    public const int MaxHostLength = 253;

    /// <summary>Makes an endpoint from its parts.</summary>
    /// <exception cref="FormatException">The host or port is not valid.</exception>
    public HostEndpoint(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        Host = host;
        Port = port;
        if (Fault(host, port) is { } fault) throw new FormatException(fault);
        Address = IPAddress.TryParse(host, out IPAddress? address) ? address : null;
    }

    // what is an address already needs no check and no reading
    private HostEndpoint(IPEndPoint endpoint) => (Host, Port, Address) = (endpoint.Address.ToString(), endpoint.Port, endpoint.Address);

    /// <summary>The host name or the text of the IP address, without brackets.</summary>
    public string Host { get; }

    /// <summary>The port, 0 to 65535.</summary>
    public int Port { get; }

    /// <summary>The address when <see cref="Host"/> is an IP literal, else null.</summary>
    public IPAddress? Address { get; }

    /// <summary>Makes an endpoint from an IP endpoint.</summary>
    public static HostEndpoint From(IPEndPoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return new HostEndpoint(endpoint);
    }

    /// <summary>Reads <c>host:port</c> or <c>[ipv6]:port</c>.</summary>
    /// <exception cref="FormatException">The text is neither; the message names the text and the fault.</exception>
    public static HostEndpoint Parse(string text) =>
        TryParse(text, out HostEndpoint? endpoint, out string? fault) ? endpoint : throw new FormatException(fault);

    /// <summary>Reads <c>host:port</c> or <c>[ipv6]:port</c>; on failure says what is wrong with it.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out HostEndpoint? endpoint, [NotNullWhen(false)] out string? fault)
    {
        endpoint = null;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (colon < 0 || text is null)
        {
            fault = $"'{text}' is not an endpoint: write host:port, for example 127.0.0.1:8080 or [::1]:8080.";
            return false;
        }
        string host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            fault = $"'{text}' is not an endpoint: an IPv6 address needs brackets, for example [::1]:8080.";
            return false;
        }
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port))
        {
            fault = $"'{text}' is not an endpoint: '{text[(colon + 1)..]}' is not a port (0 to 65535).";
            return false;
        }
        fault = Fault(host, port);
        if (fault is not null) return false;
        endpoint = new HostEndpoint(host, port);
        return true;
    }

    /// <inheritdoc />
    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static string? Fault(string host, int port)
    {
        if (host.Length == 0) return "The host is empty: write host:port, for example 127.0.0.1:8080.";
        if (host.Length > MaxHostLength) return $"The host name is {host.Length} characters long; at most {MaxHostLength} are allowed.";
        if (port is < 0 or > 65535) return $"'{port}' is not a port (0 to 65535).";
        foreach (char c in host)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c) || "/\\@?#\"<>[]".Contains(c, StringComparison.Ordinal))
                return $"'{Printable(host)}' is not a host name: it holds a character that no name may have.";
        }
        if (host.Contains(':', StringComparison.Ordinal) && !IPAddress.TryParse(host, out _))
            return $"'{Printable(host)}' is not an IPv6 address.";
        return null;
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
