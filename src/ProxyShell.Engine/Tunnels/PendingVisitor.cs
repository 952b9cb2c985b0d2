using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tunnels;

/// <summary>A visitor's side while the service is not reached yet: an abort rejects the offer.</summary>
internal sealed class PendingVisitor(ChannelOffer offer) : IAbortable
{
    public void Abort() => offer.Reject(new ProxyException(ProxyErrorReason.Stopping, ProxyStage.Request));
}
