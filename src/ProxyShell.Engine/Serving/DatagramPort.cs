using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>What a service does with the datagrams that come to its address. Its flows live in the service's registry.</summary>
internal abstract class DatagramPort : IDatagramReceiver
{
    private ListenerService? _service;
    private DatagramSocket? _socket;

    /// <summary>The socket that clients send to, once it is bound.</summary>
    public DatagramSocket Socket => _socket!;

    protected ConnectionRegistry Registry => _service!.Registry;

    /// <summary>The service is running: takes its socket over and begins to receive.</summary>
    public void Start(ListenerService service, DatagramSocket socket)
    {
        (_service, _socket) = (service, socket);
        socket.Start(this);
    }

    public abstract void OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram);

    public void OnError(DatagramSocket socket, SocketError error) => _service!.OnDatagramTrouble(error);

    /// <summary>
    /// Makes a new flow part of the service; false when its client is turned away, with the reason that it may be told, or None when it
    /// is to learn nothing.
    /// </summary>
    protected bool TryEnter(ServedFlow flow, string destination, TimeSpan idleLimit, out ProxyErrorReason refusal)
    {
        if (_service!.TryEnter(flow.Client.ToEndPoint(), flow, out ClientShare? share, out refusal) is not { } record) return false;
        flow.Enter(share!, record, destination, idleLimit);
        return true;
    }
}
