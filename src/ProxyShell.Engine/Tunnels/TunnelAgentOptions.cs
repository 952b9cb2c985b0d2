using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tunnels;

/// <summary>What a tunnel agent can be told. Validated once, when the agent is made.</summary>
public sealed record TunnelAgentOptions
{
    /// <summary>A name for messages, events and the job; a name with a number is made when it is empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>The gateway.</summary>
    public required GatewayAddress Gateway { get; init; }

    /// <summary>The service to publish.</summary>
    public required TunnelDestination Destination { get; init; }

    /// <summary>The key that the agent shows who it is with; it stays the caller's, to be disposed of after the agent.</summary>
    public required TunnelIdentity Identity { get; init; }

    /// <summary>The secret that the gateway demands; null for none.</summary>
    public TunnelToken? Token { get; init; }

    /// <summary>The host name to ask for: one label, or a whole name in the gateway's domain; null for the key's own, or one of the gateway's pool.</summary>
    public string? HostName { get; init; }

    /// <summary>Makes another name of the same key, at most 100 characters; null for the first.</summary>
    public string? SessionName { get; init; }

    /// <summary>The public port to ask for with a TCP or UDP destination; 0 for any.</summary>
    public int RemotePort { get; init; }

    /// <summary>The hops on the way to the gateway; direct by default.</summary>
    public ProxyChain Chain { get; init; } = ProxyChain.Direct;

    /// <summary>What to ask of the gateway besides.</summary>
    public TunnelSettings Settings { get; init; } = new();

    /// <summary>Tell the service who the visitor is, in a PROXY header before everything else. The service must expect one.</summary>
    public ProxyHeaderVersion SendProxyProtocol { get; init; }

    /// <summary>How the certificate of a service that is spoken TLS with is trusted.</summary>
    public TlsTrust DestinationTrust { get; init; } = TlsTrust.System;

    /// <summary>The name to ask for and check in that TLS when it is not the host.</summary>
    public string? DestinationServerName { get; init; }

    /// <summary>How long connecting to the service may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting to the gateway may take, with chain, TLS and WebSocket.</summary>
    public TimeSpan GatewayTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the registration may take then.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long the gateway may be silent before it counts as dead; it is asked for a sign of life after half of that.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long to wait before the first new attempt; each further one waits twice as long, and up to half of it is left to chance.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait between attempts.</summary>
    public TimeSpan MaxRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait after the gateway has refused.</summary>
    public TimeSpan RefusedRetry { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long visitors may go on after a stop before they are cut off.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The most visitors at a time, at most 4,000.</summary>
    public int MaxConnections { get; init; } = 4000;

    /// <summary>How many events the agent keeps, at least 1.</summary>
    public int EventCapacity { get; init; } = EventRing.DefaultCapacity;

    /// <summary>The clock; tests give their own.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The sockets to use; tests run over each kind.</summary>
    internal Transport.SocketTransport Sockets { get; init; } = Transport.SocketTransport.Default;

    /// <summary>All options, for comparison; in the same order for every instance.</summary>
    internal IEnumerable<OptionValue> Values =>
    [
        OptionValue.Of(nameof(Name), Name),
        OptionValue.Of(nameof(Gateway), Gateway),
        OptionValue.Of(nameof(Destination), Destination),
        OptionValue.Of(nameof(Identity), Identity.Thumbprint),
        OptionValue.Secret(nameof(Token), Token is null ? [] : [Token]),
        OptionValue.Of(nameof(HostName), HostName),
        OptionValue.Of(nameof(SessionName), SessionName),
        OptionValue.Of(nameof(RemotePort), RemotePort),
        OptionValue.Of(nameof(Chain), Chain),
        .. Settings.Values,
        OptionValue.Of(nameof(SendProxyProtocol), SendProxyProtocol),
        OptionValue.Of(nameof(DestinationTrust), DestinationTrust),
        OptionValue.Of(nameof(DestinationServerName), DestinationServerName),
        OptionValue.Of(nameof(ConnectTimeout), ConnectTimeout),
        OptionValue.Of(nameof(GatewayTimeout), GatewayTimeout),
        OptionValue.Of(nameof(HandshakeTimeout), HandshakeTimeout),
        OptionValue.Of(nameof(SilenceLimit), SilenceLimit),
        OptionValue.Of(nameof(FirstRetry), FirstRetry),
        OptionValue.Of(nameof(MaxRetry), MaxRetry),
        OptionValue.Of(nameof(RefusedRetry), RefusedRetry),
        OptionValue.Of(nameof(StopTimeout), StopTimeout),
        OptionValue.Of(nameof(MaxConnections), MaxConnections),
        OptionValue.Of(nameof(EventCapacity), EventCapacity),
        OptionValue.Of(nameof(TimeProvider), TimeProvider),
        OptionValue.Of(nameof(Sockets), Sockets),
    ];

    /// <summary>Throws a <see cref="FormatException"/> that names the first option out of range.</summary>
    internal void Validate()
    {
        bool hasPort = Destination.Kind is TunnelKind.Tcp or TunnelKind.Udp;
        Require(RemotePort is >= 0 and <= 65535, nameof(RemotePort), RemotePort, "0 to 65535");
        Require(RemotePort == 0 || hasPort, nameof(RemotePort), RemotePort, $"left out, because {Destination} is published by name");
        Require(HostName is null || !hasPort, nameof(HostName), HostName, $"left out, because {Destination} is published by port");
        Require(SessionName is null or { Length: >= 1 and <= 100 }, nameof(SessionName), SessionName, "1 to 100 characters");
        Require(Enum.IsDefined(SendProxyProtocol), nameof(SendProxyProtocol), SendProxyProtocol, "None, V1 or V2");
        Require(SendProxyProtocol == ProxyHeaderVersion.None || Destination.Kind != TunnelKind.Udp, nameof(SendProxyProtocol), SendProxyProtocol, "None for datagrams");
        Require(MaxConnections is >= 1 and <= 4000, nameof(MaxConnections), MaxConnections, "1 to 4000");
        Require(EventCapacity is >= 1 and <= 1_000_000, nameof(EventCapacity), EventCapacity, "1 to 1000000");
        RequireTime(ConnectTimeout, nameof(ConnectTimeout));
        RequireTime(GatewayTimeout, nameof(GatewayTimeout));
        RequireTime(HandshakeTimeout, nameof(HandshakeTimeout));
        RequireTime(SilenceLimit, nameof(SilenceLimit));
        RequireTime(FirstRetry, nameof(FirstRetry));
        RequireTime(RefusedRetry, nameof(RefusedRetry));
        Require(MaxRetry >= FirstRetry && MaxRetry <= TimeSpan.FromDays(1), nameof(MaxRetry), MaxRetry, "FirstRetry to 1 day");
        Require(StopTimeout >= TimeSpan.Zero && StopTimeout <= TimeSpan.FromDays(24), nameof(StopTimeout), StopTimeout, "0 to 24 days");
    }

    private static void Require(bool holds, string option, object? value, string range)
    {
        if (!holds) throw new FormatException($"{option} is '{value}'; it must be {range}.");
    }

    private static void RequireTime(TimeSpan value, string option) => Require(value > TimeSpan.Zero && value <= TimeSpan.FromDays(1), option, value, "more than 0 and at most 1 day");
}
