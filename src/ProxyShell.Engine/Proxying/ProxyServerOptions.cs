using ProxyShell.Engine.Chains.Pool;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Proxying;

/// <summary>What a proxy server can be told.</summary>
public sealed record ProxyServerOptions : ServiceOptions
{
    /// <summary>Makes options with a connect time of 10 s: less than a client waits, so that it is told which hop did not answer.</summary>
    public ProxyServerOptions() => ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Keys of the clients; when there are any, every request must be sealed with one of them.</summary>
    public IReadOnlyList<ProxyKey> Keys { get; init; } = [];

    /// <summary>Keys with which clients may seal the payload for this server; <see cref="Keys"/> serve for that too.</summary>
    public IReadOnlyList<ProxyKey> PayloadKeys { get; init; } = [];

    /// <summary>Users of SOCKS5 and HTTP clients; when there are any, a client must be one of them.</summary>
    public IReadOnlyList<ProxyCredential> Credentials { get; init; } = [];

    /// <summary>
    /// The protocols to serve; null for all whose clients the given secrets authenticate (<see cref="Keys"/> those of Relay,
    /// <see cref="Credentials"/> those of Socks5 and Http), or for all without a secret.
    /// </summary>
    public ProxyProtocols? Protocols { get; init; }

    /// <summary>When not empty, only destinations that match one of these are allowed.</summary>
    public IReadOnlyList<DestinationPattern> AllowDestination { get; init; } = [];

    /// <summary>Destinations that match one of these are refused, whatever else allows them.</summary>
    public IReadOnlyList<DestinationPattern> DenyDestination { get; init; } = [];

    /// <summary>The chain through which this server reaches what its clients ask for; direct by default.</summary>
    public Chains.ProxyChain Chain { get; init; } = Chains.ProxyChain.Direct;

    /// <summary>
    /// Carry datagrams too: relay requests that come in datagrams to the same port, over UDP, and those that come in streams. A server with a
    /// certificate or a Unix socket takes only the latter, since datagrams would pass by its TLS or its file.
    /// </summary>
    public bool Udp { get; init; }

    /// <summary>How sessions to the next hops are kept, where clients ask for them (<c>relay+mux</c>).</summary>
    public SessionPooling Sessions { get; init; } = SessionPooling.Default;

    /// <summary>How far the timestamp of a sealed header may differ from this machine's clock, either way.</summary>
    public TimeSpan ClockWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The choice of protocols, made once the options are valid.</summary>
    internal ServedProtocols Served =>
        ServedProtocols.Choose(Protocols, ProxyProtocols.All, Keys.Count > 0, Credentials.Count > 0, RequiresClientCertificate, AllowAnonymous);

    internal override bool AuthenticatesClients => base.AuthenticatesClients || Served.AuthenticateAll;

    internal override string Remedy => Served.Remedy;

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(Protocols), Served.Served),
        OptionValue.Fixed(nameof(Udp), Udp),
        OptionValue.Fixed(nameof(ClockWindow), ClockWindow),
        OptionValue.Fixed(nameof(Sessions), Sessions),
        OptionValue.Secret(nameof(Keys), Keys),
        OptionValue.Secret(nameof(PayloadKeys), PayloadKeys),
        OptionValue.Secret(nameof(Credentials), Credentials),
        OptionValue.List(nameof(AllowDestination), AllowDestination),
        OptionValue.List(nameof(DenyDestination), DenyDestination),
        OptionValue.Of(nameof(Chain), Chain),
    ];

    internal override void Validate()
    {
        base.Validate();
        _ = Served;
        Sessions.Validate();
        if (Sessions != SessionPooling.Default && !Served.Served.HasFlag(ProxyProtocols.Relay))
            throw new FormatException("How sessions are kept is said, but they are kept for relay clients, which this server does not serve: leave it out, or add Relay to Protocols.");
        if (AcceptProxyProtocol && Udp && !SpeaksTls)
            throw new FormatException("AcceptProxyProtocol is given, but the datagrams that Udp lets in bring no PROXY header: leave out one of the two.");
        Require(ClockWindow > TimeSpan.Zero && ClockWindow <= TimeSpan.FromHours(1), nameof(ClockWindow), ClockWindow, "more than 0 and at most 1 hour");
    }
}
