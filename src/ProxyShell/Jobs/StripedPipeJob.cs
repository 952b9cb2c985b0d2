using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Jobs;

/// <summary>A running end of a striped pipe: a near end, which has a peer, or a far end, which has a destination.</summary>
public sealed class StripedPipeJob : ListenerJob
{
    private readonly ListenerService _service;

    internal StripedPipeJob(StripedPipeEntry near)
        : base(near, $"New-StripedPipe -Peer {near.Peer}", "StripedPipe") => _service = near;

    internal StripedPipeJob(StripedPipeExit far)
        : base(far, $"New-StripedPipe -Accept -Destination {far.Destination}", "StripedPipe") => _service = far;

    /// <summary>The far end to which it leads; null when it is one.</summary>
    public TransportAddress? Peer => NearEnd?.Peer;

    /// <summary>Where all streams go; null when the far end knows that.</summary>
    public HostEndpoint? Destination => FarEnd?.Destination;

    /// <summary>What the two ends speak with each other.</summary>
    public StripedPipeFraming Framing => Options.Framing;

    /// <summary>What is carried: <c>tcp</c> or <c>udp</c>.</summary>
    public string Protocol => Options.Udp ? "udp" : "tcp";

    /// <summary>Of a near end the ways over which stripes are spread, of a far end the way to the destination; none for direct ones.</summary>
    public IReadOnlyList<ProxyChain> Chains => NearEnd?.Options.Chains ?? (FarEnd!.Options.Chain is { Count: > 0 } chain ? [chain] : []);

    /// <summary>The stripes as they are now; none with Framing Datagram.</summary>
    public IReadOnlyList<StripeInfo> Stripes => ((IStripedPipe)_service).GetStripes();

    /// <summary>How many stripes carry now.</summary>
    public int ActiveStripes => CountActive(Stripes);

    /// <summary>The thumbprint (SHA-256) of a far end's certificate, for near ends to pin; null without TLS.</summary>
    public string? CertificateThumbprint => FarEnd?.CertificateThumbprint;

    internal StripedPipeEntry? NearEnd => _service as StripedPipeEntry;

    internal StripedPipeExit? FarEnd => _service as StripedPipeExit;

    private protected override string RunningMessage => Framing == StripedPipeFraming.Datagram ? base.RunningMessage : $"{base.RunningMessage}, {DescribeStripes(Stripes)}";

    private StripedPipeOptions Options => NearEnd?.Options ?? (StripedPipeOptions)FarEnd!.Options;

    private string DescribeStripes(IReadOnlyList<StripeInfo> stripes)
    {
        int active = CountActive(stripes);
        if (NearEnd is null) return $"{Counted(active, "stripe")} active";
        string? why = active == 0 ? stripes.Select(stripe => stripe.LastError).LastOrDefault(error => error is not null) : null;
        return $"{active} of {Counted(stripes.Count, "stripe")} active{(why is null ? "" : $" ({why})")}";
    }

    private static int CountActive(IReadOnlyList<StripeInfo> stripes) => stripes.Count(stripe => stripe.State == StripeState.Active);
}
