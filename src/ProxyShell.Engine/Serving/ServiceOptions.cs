using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Serving;

/// <summary>What every listening service can be told. Validated once, when the service is made.</summary>
public abstract record ServiceOptions
{
    /// <summary>The default of <see cref="MaxConnections"/>.</summary>
    public const int DefaultMaxConnections = 20_000;

    /// <summary>A name for messages, events and the job; a name with a number is made when it is empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>The address to listen on: an IP address, <c>localhost</c>, <c>*</c> for all, or <c>unix:/path</c>.</summary>
    public string LocalAddress { get; init; } = "127.0.0.1";

    /// <summary>The port to listen on, 0 to 65535; 0 takes any free one.</summary>
    public int LocalPort { get; init; }

    /// <summary>A TLS certificate with private key: clients must then speak TLS. Null for plain connections.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// More certificates: the name that a client asks for (SNI) chooses the one whose alternative names hold it, in full or by a wildcard.
    /// The first of all, beginning with <see cref="Certificate"/>, is for all other clients. A <see cref="ReloadingCertificate"/> follows its file.
    /// </summary>
    public IReadOnlyList<ServerCertificate> Certificates { get; init; } = [];

    /// <summary>SHA-256 thumbprints of certificates of which each client must show one. This authenticates clients of all protocols.</summary>
    public IReadOnlyList<string> ClientCertificateThumbprints { get; init; } = [];

    /// <summary>
    /// Root certificates of authorities, one of which must have issued the certificate that each client must show (directly, or through
    /// others that the client sends along). With <see cref="ClientCertificateThumbprints"/>, both must hold.
    /// </summary>
    public IReadOnlyList<X509Certificate2> ClientCertificateAuthority { get; init; } = [];

    /// <summary>The most connections at a time, at least 1; more are turned away.</summary>
    public int MaxConnections { get; init; } = DefaultMaxConnections;

    /// <summary>The most connections at a time of one client address, 0 for no limit; of IPv6 addresses a whole /64 counts as one.</summary>
    public int MaxConnectionsPerClient { get; init; }

    /// <summary>
    /// Bytes per second that all connections together may move, 0 for no limit, else 1,000 to 10^12. Each direction is counted by itself:
    /// so many from clients, and so many to them.
    /// </summary>
    public long BandwidthLimit { get; init; }

    /// <summary>Bytes per second that all connections of one client may move, counted as <see cref="BandwidthLimit"/>; 0 for no limit.</summary>
    public long ClientBandwidthLimit { get; init; }

    /// <summary>When not empty, only clients from these addresses may connect; others are refused before a byte of theirs is read.</summary>
    public IReadOnlyList<SourceNetwork> AllowSource { get; init; } = [];

    /// <summary>Clients from these addresses may not connect, whatever else allows them.</summary>
    public IReadOnlyList<SourceNetwork> DenySource { get; init; } = [];

    /// <summary>
    /// Every connection begins with a PROXY header (version 1 or 2), which tells who the client is; TLS comes after it. For records, limits
    /// and source rules the client is the one told. Only for addresses that nobody but the balancer in front can reach: who reaches them says what he likes.
    /// </summary>
    public bool AcceptProxyProtocol { get; init; }

    /// <summary>How long a client may take to say what it wants (PROXY header, TLS and request header together).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long setting up the way to the destination may take, names included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A connection over which no byte moved for so long is ended; <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// UDP has no end of a conversation: a flow over which no datagram passed for so long is ended; <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan UdpIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long open connections may go on after a stop before they are aborted.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many events the service keeps, at least 1.</summary>
    public int EventCapacity { get; init; } = EventRing.DefaultCapacity;

    /// <summary>Listen on an address other than loopback though nothing authenticates the clients.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>What happens to which destinations: the first rule that matches decides. None by default.</summary>
    public IReadOnlyList<ProxyRule> Rules { get; init; } = [];

    /// <summary>Refuse the destinations that no rule matches; by default they take the service's chain.</summary>
    public bool BlockByDefault { get; init; }

    /// <summary>The clock; tests give their own.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The sockets to use; tests run over each kind.</summary>
    internal Transport.SocketTransport Sockets { get; init; } = Transport.SocketTransport.Default;

    internal bool SpeaksTls => Certificate is not null || Certificates.Count > 0;

    internal bool RequiresClientCertificate => ClientCertificateThumbprints.Count + ClientCertificateAuthority.Count > 0;

    /// <summary>The certificate for clients that name no other.</summary>
    internal X509Certificate2? DefaultCertificate => Certificate ?? (Certificates is [var first, ..] ? first.Certificate : null);

    /// <summary>All certificates, the first one for clients that name no other.</summary>
    internal IReadOnlyList<ServerCertificate> ServerCertificates =>
        [.. Certificate is { } first ? [ServerCertificate.From(first)] : Array.Empty<ServerCertificate>(), .. Certificates];

    /// <summary>Whether something authenticates every client; without it only loopback may be listened on.</summary>
    internal virtual bool AuthenticatesClients => RequiresClientCertificate;

    /// <summary>What would authenticate clients, as the beginning of a sentence ("give a key, "); empty when nothing can.</summary>
    internal virtual string Remedy => "";

    /// <summary>All options, for comparison; in the same order for every instance of a type.</summary>
    internal virtual IEnumerable<OptionValue> Values =>
    [
        OptionValue.Fixed(nameof(Name), Name),
        OptionValue.Fixed(nameof(LocalAddress), LocalAddress),
        OptionValue.Fixed(nameof(LocalPort), LocalPort),
        OptionValue.Fixed("TLS", SpeaksTls ? "on" : "off"),
        OptionValue.Fixed(nameof(EventCapacity), EventCapacity),
        OptionValue.Fixed(nameof(TimeProvider), TimeProvider),
        OptionValue.Fixed(nameof(Sockets), Sockets),
        OptionValue.List(nameof(Certificate), Certificate is null ? [] : [Certificate]),
        OptionValue.List(nameof(Certificates), Certificates),
        OptionValue.List(nameof(ClientCertificateThumbprints), ClientCertificateThumbprints),
        OptionValue.List(nameof(ClientCertificateAuthority), ClientCertificateAuthority),
        OptionValue.Of(nameof(MaxConnections), MaxConnections),
        OptionValue.Of(nameof(MaxConnectionsPerClient), MaxConnectionsPerClient),
        OptionValue.Of(nameof(BandwidthLimit), BandwidthLimit),
        OptionValue.Of(nameof(ClientBandwidthLimit), ClientBandwidthLimit),
        OptionValue.List(nameof(AllowSource), AllowSource),
        OptionValue.List(nameof(DenySource), DenySource),
        OptionValue.Of(nameof(AcceptProxyProtocol), AcceptProxyProtocol),
        OptionValue.Of(nameof(HandshakeTimeout), HandshakeTimeout),
        OptionValue.Of(nameof(ConnectTimeout), ConnectTimeout),
        OptionValue.Of(nameof(IdleTimeout), IdleTimeout),
        OptionValue.Of(nameof(UdpIdleTimeout), UdpIdleTimeout),
        OptionValue.Of(nameof(StopTimeout), StopTimeout),
        OptionValue.Of(nameof(AllowAnonymous), AllowAnonymous),
        OptionValue.List(nameof(Rules), Rules),
        OptionValue.Of(nameof(BlockByDefault), BlockByDefault),
    ];

    /// <summary>Throws a <see cref="FormatException"/> that names the first option out of range.</summary>
    internal virtual void Validate()
    {
        Require(LocalPort is >= 0 and <= 65535, nameof(LocalPort), LocalPort, "0 to 65535");
        Require(MaxConnections >= 1, nameof(MaxConnections), MaxConnections, "1 or more");
        Require(MaxConnectionsPerClient >= 0, nameof(MaxConnectionsPerClient), MaxConnectionsPerClient, "0 (no limit) or more");
        RequireRate(BandwidthLimit, nameof(BandwidthLimit));
        RequireRate(ClientBandwidthLimit, nameof(ClientBandwidthLimit));
        Require(EventCapacity is >= 1 and <= 1_000_000, nameof(EventCapacity), EventCapacity, "1 to 1000000");
        if (RequiresClientCertificate) ValidateClientCertificates();
        RequireTime(HandshakeTimeout, nameof(HandshakeTimeout));
        RequireTime(ConnectTimeout, nameof(ConnectTimeout));
        if (IdleTimeout != Timeout.InfiniteTimeSpan) RequireTime(IdleTimeout, nameof(IdleTimeout));
        if (UdpIdleTimeout != Timeout.InfiniteTimeSpan) RequireTime(UdpIdleTimeout, nameof(UdpIdleTimeout));
        Require(StopTimeout >= TimeSpan.Zero && StopTimeout <= MaxTime, nameof(StopTimeout), StopTimeout, "0 to 24 days");
    }

    private protected static TimeSpan MaxTime { get; } = TimeSpan.FromDays(24);

    private protected static void Require(bool holds, string option, object? value, string range)
    {
        if (!holds) throw new FormatException($"{option} is '{value}'; it must be {range}.");
    }

    private void ValidateClientCertificates()
    {
        if (!SpeaksTls)
        {
            string option = ClientCertificateThumbprints.Count > 0 ? nameof(ClientCertificateThumbprints) : nameof(ClientCertificateAuthority);
            throw new FormatException($"{option} is given, but without a Certificate of its own the service does not speak TLS: give one.");
        }
        _ = new ClientCertificatePolicy(ClientCertificateThumbprints, ClientCertificateAuthority);
    }

    private static void RequireRate(long value, string option) =>
        Require(value is 0 or (>= 1000 and <= 1_000_000_000_000), option, value, "0 (no limit) or 1000 to 1000000000000 bytes per second");

    private static void RequireTime(TimeSpan value, string option) =>
        Require(value > TimeSpan.Zero && value <= MaxTime, option, value, "more than 0 and at most 24 days");
}
