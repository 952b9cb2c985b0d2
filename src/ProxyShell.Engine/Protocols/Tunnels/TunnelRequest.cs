namespace ProxyShell.Engine.Protocols.Tunnels;

/// <summary>The tunnel that an agent wants. Numbers are 0 and texts left out where it asks for nothing.</summary>
internal sealed record TunnelRequest
{
    /// <summary>http, tls, tcp or udp.</summary>
    public string? Kind { get; init; }

    /// <summary>The host name it asks for: a label, or a whole name in the gateway's domain.</summary>
    public string? HostName { get; init; }

    /// <summary>Makes a second name of the same key.</summary>
    public string? SessionName { get; init; }

    /// <summary>The public port it asks for.</summary>
    public int Port { get; init; }

    /// <summary>The name it had last, which it gets again if that is free.</summary>
    public string? LastName { get; init; }

    /// <summary>The public port it had last.</summary>
    public int LastPort { get; init; }

    /// <summary>What the agent calls itself: a registration of before with the same key and the same word is replaced.</summary>
    public string? Instance { get; init; }

    /// <summary>Where it leads visitors, for people only.</summary>
    public string? Destination { get; init; }

    /// <summary>The Host field for its service.</summary>
    public string? HostHeader { get; init; }

    /// <summary>The longest request body.</summary>
    public long MaxRequestBody { get; init; }

    /// <summary>Requests per second.</summary>
    public double RequestRate { get; init; }

    /// <summary>Requests per second of each client.</summary>
    public double ClientRequestRate { get; init; }

    /// <summary>Connections and requests at a time.</summary>
    public int MaxConnections { get; init; }

    /// <summary>Addresses and networks that may use it.</summary>
    public IReadOnlyList<string>? AllowSource { get; init; }

    /// <summary>Users of HTTP requests, name and password.</summary>
    public IReadOnlyList<TunnelUser>? Users { get; init; }

    /// <summary>Whether a channel may serve one client only.</summary>
    public bool OneClientPerChannel { get; init; }
}
