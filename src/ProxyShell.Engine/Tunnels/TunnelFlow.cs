using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels;

/// <summary>The datagrams between one public client and the service behind a tunnel.</summary>
internal sealed class TunnelFlow(TunnelDatagramPort port, ConnectionRegistry registry, DatagramSocket socket, DatagramPeer client) : ServedFlow(registry, socket, client)
{
    protected override void OnEnded(ProxyException? error)
    {
        port.Forget(this);
        base.OnEnded(error);
    }
}
