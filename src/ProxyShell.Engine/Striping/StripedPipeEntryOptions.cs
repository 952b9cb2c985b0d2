using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Striping;

/// <summary>What the near end of a striped pipe can be told: where its clients connect, and how it reaches the far end.</summary>
public sealed record StripedPipeEntryOptions : StripedPipeOptions
{
    /// <summary>The most stripes of one pipe.</summary>
    public const int MaxStripes = 64;

    private const int DefaultStripeCount = 4;

    /// <summary>The far end: a TCP, TLS or Unix address.</summary>
    public required TransportAddress Peer { get; init; }

    /// <summary>How the far end's certificate is trusted; of meaning for TLS addresses only.</summary>
    public TlsTrust PeerTrust { get; init; } = TlsTrust.System;

    /// <summary>The name to ask for and check in TLS when it is not the host; null for the host.</summary>
    public string? PeerServerName { get; init; }

    /// <summary>The certificate to show to a far end that asks for one; null for none.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>How many stripes there are, or how many at least: 1 to 64.</summary>
    public int StripeCount { get; init; } = DefaultStripeCount;

    /// <summary>How many stripes there may be at most when they are added while that raises the rate, up to 64; 0 for always as many as <see cref="StripeCount"/>.</summary>
    public int MaxStripeCount { get; init; }

    /// <summary>The ways to the far end, over which stripes (with Framing Datagram: connections) are spread in turn; none for direct connections.</summary>
    public IReadOnlyList<ProxyChain> Chains { get; init; } = [];

    /// <summary>The ways to choose from, of which there is at least one.</summary>
    internal IReadOnlyList<ProxyChain> Ways => Chains.Count > 0 ? Chains : [ProxyChain.Direct];

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(Peer), Peer),
        OptionValue.Fixed(nameof(PeerTrust), PeerTrust),
        OptionValue.Fixed(nameof(PeerServerName), PeerServerName),
        OptionValue.Fixed(nameof(ClientCertificate), ClientCertificate),
        OptionValue.Of(nameof(StripeCount), StripeCount),
        OptionValue.Of(nameof(MaxStripeCount), MaxStripeCount),
        OptionValue.List(nameof(Chains), Chains),
    ];

    internal override void Validate()
    {
        base.Validate();
        ValidatePeer();
        Require(StripeCount is >= 1 and <= MaxStripes, nameof(StripeCount), StripeCount, $"1 to {MaxStripes}");
        Require(MaxStripeCount == 0 || (MaxStripeCount > StripeCount && MaxStripeCount <= MaxStripes), nameof(MaxStripeCount), MaxStripeCount, $"0 (always StripeCount), or more than StripeCount ({StripeCount}) and at most {MaxStripes}");
        if (Framing == StripedPipeFraming.Datagram && (StripeCount != DefaultStripeCount || MaxStripeCount != 0))
            throw new FormatException($"{(MaxStripeCount != 0 ? nameof(MaxStripeCount) : nameof(StripeCount))} is given, but with Framing Datagram every client has one connection: leave it out, or use Framing Stripe.");
        if (Rules.Count > 0 || BlockByDefault)
            throw new FormatException($"{(Rules.Count > 0 ? nameof(Rules) : nameof(BlockByDefault))} is given, but all that comes in goes to the Peer: leave it out, and say at the far end where things go.");
        if (Udp) ValidateUdp();
    }

    private void ValidatePeer()
    {
        Require(Peer is { Kind: TransportKind.Tcp or TransportKind.Tls or TransportKind.Unix, IsMultiplexed: false }, nameof(Peer), Peer, "a TCP, TLS or Unix address");
        Require(Peer.Endpoint is not { Port: 0 }, nameof(Peer), Peer, "an endpoint with a port other than 0");
        if (Peer.Kind == TransportKind.Tls) return;
        string? option = PeerTrust.Thumbprint is not null ? nameof(PeerTrust) : PeerServerName is not null ? nameof(PeerServerName) : ClientCertificate is not null ? nameof(ClientCertificate) : null;
        if (option is not null) throw new FormatException($"{option} is given, but the Peer {Peer} is not reached by TLS: leave it out, or write tls://{Peer}.");
    }

    private void ValidateUdp()
    {
        if (SpeaksTls) throw new FormatException("A Certificate is given, but with Udp clients do not speak TLS: leave out one of the two.");
        if (AcceptProxyProtocol) throw new FormatException($"{nameof(AcceptProxyProtocol)} is given, but a PROXY header begins a connection, not a datagram: leave out one of the two.");
        Require(!LocalAddress.StartsWith("unix:", StringComparison.Ordinal), nameof(LocalAddress), LocalAddress, "an IP address with Udp");
    }
}
