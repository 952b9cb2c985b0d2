using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Inbound;

/// <summary>A flow whose datagrams are forwarded as they are.</summary>
internal sealed class ForwardedFlow(ClientFlowPort port, ConnectionRegistry registry, DatagramSocket socket, DatagramPeer client) : ServedFlow(registry, socket, client)
{
    protected override void OnEnded(ProxyException? error)
    {
        port.Forget(this);
        base.OnEnded(error);
    }
}
