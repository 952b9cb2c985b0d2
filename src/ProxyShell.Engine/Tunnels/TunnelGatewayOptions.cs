using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Tunnels.Http;

namespace ProxyShell.Engine.Tunnels;

/// <summary>
/// What a tunnel gateway can be told. <see cref="ServiceOptions.LocalAddress"/> and <see cref="ServiceOptions.LocalPort"/> are where agents
/// connect (the control port); with a <see cref="ServiceOptions.Certificate"/> they must speak TLS there. Limits, source rules and times hold for
/// agents and for the public alike.
/// </summary>
public sealed record TunnelGatewayOptions : ServiceOptions
{
    /// <summary>The address at which the public connects, as <see cref="ServiceOptions.LocalAddress"/>; null for the same as for agents.</summary>
    public string? PublicAddress { get; init; }

    /// <summary>The port for HTTP, 0 for any free one; null for none.</summary>
    public int? HttpPort { get; init; }

    /// <summary>The port for HTTPS and for TLS that agents end themselves, 0 for any free one; null for none. HTTPS needs a certificate.</summary>
    public int? HttpsPort { get; init; }

    /// <summary>The domain of all host names that are given; <c>localhost</c> by default, whose names lead to one's own machine.</summary>
    public string Domain { get; init; } = "localhost";

    /// <summary>Host names (one label each) to be handed out to agents that ask for none, instead of the names of their keys.</summary>
    public IReadOnlyList<string> HostNamePool { get; init; } = [];

    /// <summary>The TCP ports that agents may have; none by default.</summary>
    public IReadOnlyList<PortRange> TcpPorts { get; init; } = [];

    /// <summary>The UDP ports that agents may have; none by default.</summary>
    public IReadOnlyList<PortRange> UdpPorts { get; init; } = [];

    /// <summary>Thumbprints of the keys that may register: 52 characters of base32, or 43 of base64url (RFC 7638); none and no file for any key.</summary>
    public IReadOnlyList<string> AuthorizedKeys { get; init; } = [];

    /// <summary>A file with more of them, one in each line, followed by any comment; it is read again when it has changed. Null for none.</summary>
    public string? AuthorizedKeysFile { get; init; }

    /// <summary>A secret that every agent must have; null for none.</summary>
    public TunnelToken? Token { get; init; }

    /// <summary>A file in which it is kept which key has which name and port, so that a restart changes nothing; null for none.</summary>
    public string? StateFile { get; init; }

    /// <summary>For how long the name of a lost agent is kept for its key, and counts as gone rather than unknown.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The most agents at a time.</summary>
    public int MaxAgents { get; init; } = 1000;

    /// <summary>The most agents with one key at a time.</summary>
    public int MaxTunnelsPerKey { get; init; } = 20;

    /// <summary>The most names that one key may reserve by asking for them.</summary>
    public int MaxNamesPerKey { get; init; } = 20;

    /// <summary>The most public connections and requests of one agent at a time, at most 4,000.</summary>
    public int MaxConnectionsPerTunnel { get; init; } = 4000;

    /// <summary>The most agents that are not registered yet at a time; each has <see cref="ServiceOptions.HandshakeTimeout"/>.</summary>
    public int MaxPendingHandshakes { get; init; } = 256;

    /// <summary>For how long an agent may be silent before it counts as dead; it is asked for a sign of life after half of that.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How far an agent's clock may differ from this machine's, either way.</summary>
    public TimeSpan ClockWindow { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How the public's HTTP is served.</summary>
    public TunnelHttpOptions Http { get; init; } = new();

    internal override bool AuthenticatesClients => base.AuthenticatesClients || AuthorizedKeys.Count > 0 || AuthorizedKeysFile is not null || Token is not null;

    internal override string Remedy => "give AuthorizedKeys or a Token, ";

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(PublicAddress), PublicAddress),
        OptionValue.Fixed(nameof(HttpPort), HttpPort),
        OptionValue.Fixed(nameof(HttpsPort), HttpsPort),
        OptionValue.Fixed(nameof(Domain), Domain),
        OptionValue.Fixed(nameof(StateFile), StateFile),
        OptionValue.Fixed(nameof(Lease), Lease),
        OptionValue.List(nameof(HostNamePool), HostNamePool),
        OptionValue.List(nameof(TcpPorts), TcpPorts.Cast<object>()),
        OptionValue.List(nameof(UdpPorts), UdpPorts.Cast<object>()),
        OptionValue.List(nameof(AuthorizedKeys), AuthorizedKeys),
        OptionValue.Of(nameof(AuthorizedKeysFile), AuthorizedKeysFile),
        OptionValue.Secret(nameof(Token), Token is null ? [] : [Token]),
        OptionValue.Of(nameof(MaxAgents), MaxAgents),
        OptionValue.Of(nameof(MaxTunnelsPerKey), MaxTunnelsPerKey),
        OptionValue.Of(nameof(MaxNamesPerKey), MaxNamesPerKey),
        OptionValue.Of(nameof(MaxConnectionsPerTunnel), MaxConnectionsPerTunnel),
        OptionValue.Of(nameof(MaxPendingHandshakes), MaxPendingHandshakes),
        OptionValue.Of(nameof(SilenceLimit), SilenceLimit),
        OptionValue.Of(nameof(ClockWindow), ClockWindow),
        .. Http.Values,
    ];

    internal override void Validate()
    {
        base.Validate();
        Http.Validate();
        Require(HttpPort is null or (>= 0 and <= 65535), nameof(HttpPort), HttpPort, "0 to 65535, or null");
        Require(HttpsPort is null or (>= 0 and <= 65535), nameof(HttpsPort), HttpsPort, "0 to 65535, or null");
        Require(Domain.Length is > 0 and <= 190 && Domain.Split('.').All(NameBook.IsLabel), nameof(Domain), Domain, "a domain in lower case, such as example.org");
        foreach (string label in HostNamePool) Require(NameBook.IsLabel(label), nameof(HostNamePool), label, "labels of 1 to 63 lower-case letters, digits and hyphens");
        foreach (PortRange range in TcpPorts) Require(range.First > 0, nameof(TcpPorts), range, "ports from 1 to 65535");
        foreach (PortRange range in UdpPorts) Require(range.First > 0, nameof(UdpPorts), range, "ports from 1 to 65535");
        bool hasPublicPorts = HttpPort is not null || HttpsPort is not null || TcpPorts.Count + UdpPorts.Count > 0;
        string publicAddress = PublicAddress ?? LocalAddress;
        Require(!hasPublicPorts || !publicAddress.StartsWith("unix:", StringComparison.Ordinal), nameof(PublicAddress), publicAddress, "an IP address, where there are public ports");
        if (AuthorizedKeys.FirstOrDefault(key => KeyThumbprint.Parse(key) is null) is { } noKey) Require(false, nameof(AuthorizedKeys), noKey, "thumbprints of keys: 52 characters of base32, or 43 of base64url");
        Require(MaxAgents >= 1, nameof(MaxAgents), MaxAgents, "1 or more");
        Require(MaxTunnelsPerKey >= 1, nameof(MaxTunnelsPerKey), MaxTunnelsPerKey, "1 or more");
        Require(MaxNamesPerKey >= 0, nameof(MaxNamesPerKey), MaxNamesPerKey, "0 or more");
        Require(MaxConnectionsPerTunnel is >= 1 and <= 4000, nameof(MaxConnectionsPerTunnel), MaxConnectionsPerTunnel, "1 to 4000");
        Require(MaxPendingHandshakes >= 1, nameof(MaxPendingHandshakes), MaxPendingHandshakes, "1 or more");
        Require(Lease >= TimeSpan.Zero && Lease <= MaxTime, nameof(Lease), Lease, "0 to 24 days");
        Require(SilenceLimit > TimeSpan.Zero && SilenceLimit <= TimeSpan.FromHours(1), nameof(SilenceLimit), SilenceLimit, "more than 0 and at most 1 hour");
        Require(ClockWindow > TimeSpan.Zero && ClockWindow <= TimeSpan.FromHours(1), nameof(ClockWindow), ClockWindow, "more than 0 and at most 1 hour");
    }
}
