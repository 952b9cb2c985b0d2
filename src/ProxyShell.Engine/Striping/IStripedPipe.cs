using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Striping;

/// <summary>Either end of a striped pipe.</summary>
public interface IStripedPipe : IProxyService
{
    /// <summary>What the two ends speak with each other.</summary>
    StripedPipeFraming Framing { get; }

    /// <summary>The stripes there are now, and at the near end those that are being connected; none with Framing Datagram.</summary>
    IReadOnlyList<StripeInfo> GetStripes();
}
