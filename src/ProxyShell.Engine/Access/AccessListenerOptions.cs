using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Access;

/// <summary>What an access listener can be told.</summary>
public sealed record AccessListenerOptions : ServiceOptions
{
    /// <summary>Where every connection goes; null when each client says so itself, in one of <see cref="Protocols"/>.</summary>
    public HostEndpoint? Destination { get; init; }

    /// <summary>Carry datagrams (UDP) to the destination instead of connections.</summary>
    public bool Udp { get; init; }

    /// <summary>Without a destination: the protocols to serve, of Socks5 and Http; null for both.</summary>
    public ProxyProtocols? Protocols { get; init; }

    /// <summary>Without a destination: the users; when there are any, a client must be one of them.</summary>
    public IReadOnlyList<ProxyCredential> Credentials { get; init; } = [];

    /// <summary>
    /// Tell the destination who the client is, in a PROXY header before everything else. The destination must expect one: others take
    /// it for the client's own bytes.
    /// </summary>
    public ProxyHeaderVersion SendProxyProtocol { get; init; }

    /// <summary>The hops on the way; direct by default.</summary>
    public ProxyChain Chain { get; init; } = ProxyChain.Direct;

    /// <summary>The choice of protocols for a listener without a destination.</summary>
    internal ServedProtocols Served =>
        ServedProtocols.Choose(Protocols, ProxyProtocols.Socks5 | ProxyProtocols.Http, hasKeys: false, Credentials.Count > 0, RequiresClientCertificate, AllowAnonymous);

    internal override bool AuthenticatesClients => base.AuthenticatesClients || (Destination is null && Served.AuthenticateAll);

    internal override string Remedy => Destination is null ? Served.Remedy : "";

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(Destination), Destination),
        OptionValue.Fixed(nameof(Udp), Udp),
        OptionValue.Fixed(nameof(Protocols), Destination is null ? Served.Served : null),
        OptionValue.Secret(nameof(Credentials), Credentials),
        OptionValue.Of(nameof(SendProxyProtocol), SendProxyProtocol),
        OptionValue.Of(nameof(Chain), Chain),
    ];

    internal override void Validate()
    {
        base.Validate();
        Require(Enum.IsDefined(SendProxyProtocol), nameof(SendProxyProtocol), SendProxyProtocol, "None, V1 or V2");
        if (Udp) ValidateUdp();
        if (Destination is null)
        {
            _ = Served;
            if (SendProxyProtocol != ProxyHeaderVersion.None) throw new FormatException("SendProxyProtocol needs a Destination that expects it; what clients ask for does not.");
            return;
        }
        Require(Destination.Port != 0, nameof(Destination), Destination, "an endpoint with a port other than 0");
        Require(Protocols is null, nameof(Protocols), Protocols, "left out when there is a Destination");
        if (Credentials.Count > 0) throw new FormatException("Credentials are given, but with a Destination clients have no way to show theirs: leave out one of the two.");
    }

    private void ValidateUdp()
    {
        if (Destination is null) throw new FormatException("Udp needs a Destination: a datagram does not say where it wants to go.");
        if (SpeaksTls) throw new FormatException("A Certificate is given, but with Udp there is no TLS: leave out one of the two.");
        if (AcceptProxyProtocol || SendProxyProtocol != ProxyHeaderVersion.None)
            throw new FormatException($"{(AcceptProxyProtocol ? nameof(AcceptProxyProtocol) : nameof(SendProxyProtocol))} is given, but a PROXY header begins a connection, not a datagram: leave out one of the two.");
        Require(!LocalAddress.StartsWith("unix:", StringComparison.Ordinal), nameof(LocalAddress), LocalAddress, "an IP address with Udp");
    }
}
