using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Striping;

/// <summary>
/// What the far end of a striped pipe can be told: where near ends connect, and where what comes over them goes. <see cref="ServiceOptions.MaxConnections"/> counts
/// streams, not stripes.
/// </summary>
public sealed record StripedPipeExitOptions : StripedPipeOptions
{
    /// <summary>Makes options with a connect time of 10 s: less than a near end waits, so that it is told what did not answer.</summary>
    public StripedPipeExitOptions() => ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Where every stream goes.</summary>
    public required HostEndpoint Destination { get; init; }

    /// <summary>The way to the destination; direct by default.</summary>
    public ProxyChain Chain { get; init; } = ProxyChain.Direct;

    internal override bool AuthenticatesClients => base.AuthenticatesClients || Key is not null;

    internal override string Remedy => Framing == StripedPipeFraming.Datagram ? "give a Certificate and ClientCertificateThumbprints, " : "give a Key, ";

    internal override IEnumerable<OptionValue> Values =>
    [
        .. base.Values,
        OptionValue.Fixed(nameof(Destination), Destination),
        OptionValue.Of(nameof(Chain), Chain),
    ];

    internal override void Validate()
    {
        base.Validate();
        Require(Destination is { Port: not 0 }, nameof(Destination), Destination, "an endpoint with a port other than 0");
    }
}
