using ProxyShell.Engine.Relaying;

namespace ProxyShell.Engine.Tests.Relaying;

/// <summary>Takes all it can get, at once and whenever it is woken.</summary>
internal sealed class GreedyClaim(Bandwidth bandwidth, int atATime = 64 * 1024) : BandwidthClaim(bandwidth, TrafficDirection.Sent)
{
    public long Taken { get; private set; }

    /// <summary>How much it takes before it has had enough.</summary>
    public long Appetite { get; set; } = long.MaxValue;

    public GreedyClaim Start()
    {
        while (Taken < Appetite && TryRenew(atATime))
        {
            Taken += Bytes;
            Use(Bytes);
        }
        return this;
    }

    protected override void Wake() => Start();
}
