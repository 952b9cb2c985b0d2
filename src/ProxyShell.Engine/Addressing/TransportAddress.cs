using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ProxyShell.Engine.Addressing;

/// <summary>Where to connect and how: a transport with a host endpoint, or with a path for Unix sockets.</summary>
public sealed record TransportAddress
{
    /// <summary>The longest path of a Unix socket in bytes (sockaddr_un of Linux, less the final zero).</summary>
    public const int MaxPathLength = 107;

    // all connections to one address share its text
    private readonly string _text;

    private TransportAddress(TransportKind kind, HostEndpoint? endpoint, string? path) =>
        (Kind, Endpoint, Path, _text) = (kind, endpoint, path, path is null ? endpoint!.ToString() : "unix:" + path);

    /// <summary>The transport.</summary>
    public TransportKind Kind { get; }

    /// <summary>The endpoint, or null for a Unix socket.</summary>
    public HostEndpoint? Endpoint { get; }

    /// <summary>The path of a Unix socket, or null.</summary>
    public string? Path { get; }

    /// <summary>Whether a stream to this address is a channel of a session that is kept to it, not a connection of its own.</summary>
    public bool IsMultiplexed { get; private init; }

    /// <summary>The same address, to be reached by channels of a session.</summary>
    /// <exception cref="FormatException">It is a UDP address.</exception>
    public TransportAddress Multiplexed() =>
        Kind != TransportKind.Udp ? this with { IsMultiplexed = true } : throw new FormatException("Sessions need a stream; UDP is none.");

    /// <summary>The same address, to be reached by connections.</summary>
    public TransportAddress Unmultiplexed() => IsMultiplexed ? this with { IsMultiplexed = false } : this;

    /// <summary>A plain TCP address.</summary>
    public static TransportAddress Tcp(HostEndpoint endpoint) => new(TransportKind.Tcp, endpoint, null);

    /// <summary>A TLS address.</summary>
    public static TransportAddress Tls(HostEndpoint endpoint) => new(TransportKind.Tls, endpoint, null);

    /// <summary>A UDP address.</summary>
    public static TransportAddress Udp(HostEndpoint endpoint) => new(TransportKind.Udp, endpoint, null);

    /// <summary>A Unix socket; the path is 1 to <see cref="MaxPathLength"/> bytes of UTF-8 without control characters.</summary>
    /// <exception cref="FormatException">The path is not of that kind.</exception>
    public static TransportAddress Unix(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0) throw new FormatException("The path of the Unix socket is empty.");
        if (path.Any(char.IsControl)) throw new FormatException("The path of the Unix socket holds a control character.");
        int length = Encoding.UTF8.GetByteCount(path);
        return length <= MaxPathLength
            ? new TransportAddress(TransportKind.Unix, null, path)
            : throw new FormatException($"The path of the Unix socket is {length} bytes long; at most {MaxPathLength} bytes are allowed.");
    }

    /// <summary>Reads <c>host:port</c> (TCP), <c>tcp://host:port</c>, <c>tls://host:port</c> or <c>unix:/path</c>.</summary>
    /// <exception cref="FormatException">The text is none of these; the message names it and the fault.</exception>
    public static TransportAddress Parse(string text) => TryParse(text, out TransportAddress? address, out string? fault) ? address : throw new FormatException(fault);

    /// <summary>Reads an address as <see cref="Parse"/> does; on failure says what is wrong with it.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TransportAddress? address, [NotNullWhen(false)] out string? fault)
    {
        string trimmed = (text ?? "").Trim();
        address = null;
        if (trimmed.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) return TryParsePath(trimmed["unix:".Length..], out address, out fault);
        int scheme = trimmed.IndexOf("://", StringComparison.Ordinal);
        string kind = scheme < 0 ? "tcp" : trimmed[..scheme].ToLowerInvariant();
        if (kind is not ("tcp" or "tls"))
        {
            fault = $"'{trimmed}' is not an address to connect to: it must be host:port, tcp://host:port, tls://host:port or unix:/path.";
            return false;
        }
        if (!HostEndpoint.TryParse(scheme < 0 ? trimmed : trimmed[(scheme + 3)..].TrimEnd('/'), out HostEndpoint? endpoint, out fault)) return false;
        address = kind == "tls" ? Tls(endpoint) : Tcp(endpoint);
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => _text;

    private static bool TryParsePath(string path, [NotNullWhen(true)] out TransportAddress? address, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            (address, fault) = (Unix(path), null);
            return true;
        }
        catch (FormatException e)
        {
            (address, fault) = (null, e.Message);
            return false;
        }
    }
}
