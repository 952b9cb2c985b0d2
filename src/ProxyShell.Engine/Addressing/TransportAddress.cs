namespace ProxyShell.Engine.Addressing;

/// <summary>Where to connect and how: a transport with a host endpoint, or with a path for Unix sockets.</summary>
public sealed record TransportAddress
{
    private TransportAddress(TransportKind kind, HostEndpoint? endpoint, string? path) => (Kind, Endpoint, Path) = (kind, endpoint, path);

    /// <summary>The transport.</summary>
    public TransportKind Kind { get; }

    /// <summary>The endpoint, or null for a Unix socket.</summary>
    public HostEndpoint? Endpoint { get; }

    /// <summary>The path of a Unix socket, or null.</summary>
    public string? Path { get; }

    /// <summary>A plain TCP address.</summary>
    public static TransportAddress Tcp(HostEndpoint endpoint) => new(TransportKind.Tcp, endpoint, null);

    /// <summary>A TLS address.</summary>
    public static TransportAddress Tls(HostEndpoint endpoint) => new(TransportKind.Tls, endpoint, null);

    /// <summary>A Unix socket; the path is at most 107 bytes (sockaddr_un).</summary>
    public static TransportAddress Unix(string path) => new(TransportKind.Unix, null, path);

    /// <inheritdoc />
    public override string ToString() => Path is null ? Endpoint!.ToString() : "unix:" + Path;
}
