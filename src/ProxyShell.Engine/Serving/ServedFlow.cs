using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>A flow of datagrams whose client sends to a service's own port.</summary>
internal abstract class ServedFlow(ConnectionRegistry registry, DatagramSocket socket, DatagramPeer client) : DatagramFlow(registry)
{
    private ClientShare? _share;

    /// <summary>Who sends, and to which of our addresses.</summary>
    public DatagramPeer Client => client;

    /// <summary>The socket that the client sends to, and that it is answered from.</summary>
    protected DatagramSocket Socket => socket;

    /// <summary>Takes what the flow was entered with.</summary>
    public void Enter(ClientShare share, ProxyConnection record, string destination, TimeSpan idleLimit)
    {
        (_share, Bandwidth) = (share, share.Bandwidth);
        Begin(record, destination, idleLimit);
    }

    protected override int MaxReply => socket.MaxPayload;

    protected override bool Deliver(ReadOnlySpan<byte> payload) => socket.SendTo(client, default, payload);

    protected override void OnEnded(ProxyException? error) => _share!.Leave();
}
