using System.Net.Sockets;

namespace ProxyShell.Engine.Transport;

/// <summary>What a datagram socket tells its owner, one call at a time. It must return soon and not wait for anything.</summary>
internal interface IDatagramReceiver
{
    /// <summary>A whole datagram came; its bytes are valid until the call returns.</summary>
    void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram);

    /// <summary>
    /// The socket met an error. For a connected socket that is mostly what came back for a datagram it sent (ICMP: nobody listens there);
    /// the socket goes on.
    /// </summary>
    void OnError(DatagramSocket socket, SocketError error);
}
