using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Relaying;

/// <summary>A claim of a relay on a loop, which is run again when it may go on.</summary>
internal sealed class LoopClaim(Bandwidth bandwidth, TrafficDirection direction, EpollLoop loop, ILoopWork relay) : BandwidthClaim(bandwidth, direction)
{
    protected override void Wake() => loop.Post(relay);
}
