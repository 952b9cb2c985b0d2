using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels;

/// <summary>What an agent asks of the gateway for its tunnel; everything is optional.</summary>
public sealed record TunnelSettings
{
    /// <summary>The Host field that the service shall see in HTTP requests; null to leave the public one.</summary>
    public string? HostHeader { get; init; }

    /// <summary>The longest request body in bytes, 0 for no limit; a longer one is answered with 413.</summary>
    public long MaxRequestBody { get; init; }

    /// <summary>HTTP requests per second for the whole tunnel, 0 for no limit; more are answered with 429.</summary>
    public double RequestRate { get; init; }

    /// <summary>HTTP requests per second for each client address, 0 for no limit; more are answered with 429.</summary>
    public double ClientRequestRate { get; init; }

    /// <summary>Public connections of the tunnel at a time, 0 for no limit of its own.</summary>
    public int MaxConnections { get; init; }

    /// <summary>When not empty, only clients from these addresses may use the tunnel.</summary>
    public IReadOnlyList<SourceNetwork> AllowSource { get; init; } = [];

    /// <summary>Users of HTTP requests (Basic authentication at the gateway); when there are any, a client must be one of them.</summary>
    public IReadOnlyList<ProxyCredential> Credentials { get; init; } = [];

    /// <summary>
    /// Each channel must serve one client only, because the agent tells the service who the client is when it connects (PROXY protocol): the
    /// gateway must not use a channel again for another.
    /// </summary>
    public bool OneClientPerChannel { get; init; }

    /// <summary>All of them as <c>Settings.Name</c>, for comparison; in the same order for every instance.</summary>
    internal IEnumerable<OptionValue> Values =>
    [
        OptionValue.Of($"Settings.{nameof(HostHeader)}", HostHeader),
        OptionValue.Of($"Settings.{nameof(MaxRequestBody)}", MaxRequestBody),
        OptionValue.Of($"Settings.{nameof(RequestRate)}", RequestRate),
        OptionValue.Of($"Settings.{nameof(ClientRequestRate)}", ClientRequestRate),
        OptionValue.Of($"Settings.{nameof(MaxConnections)}", MaxConnections),
        OptionValue.List($"Settings.{nameof(AllowSource)}", AllowSource),
        OptionValue.Secret($"Settings.{nameof(Credentials)}", Credentials),
        OptionValue.Of($"Settings.{nameof(OneClientPerChannel)}", OneClientPerChannel),
    ];
}
