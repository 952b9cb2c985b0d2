using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Relaying;

/// <summary>A path without hops: a socket of its own that is connected to the destination, so that it hears only that, and its refusals.</summary>
internal sealed class DirectDatagramPath : DatagramPath, IDatagramReceiver
{
    private readonly DatagramSocket _socket;
    private readonly string _destination;
    private readonly IDatagramSink _sink;

    /// <summary>Takes the socket over; <paramref name="destination"/> is what errors name.</summary>
    public DirectDatagramPath(DatagramSocket socket, string destination, IDatagramSink sink)
    {
        (_socket, _destination, _sink) = (socket, destination, sink);
        socket.Start(this);
    }

    public override int MaxPayload => _socket.MaxPayload;

    public override IPEndPoint? Source => _socket.RemoteEndPoint;

    public override bool Send(ReadOnlySpan<byte> payload) => _socket.Send(default, payload);

    public override void Abort() => _socket.Dispose();

    void IDatagramReceiver.OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram) => _sink.OnReceived(datagram);

    void IDatagramReceiver.OnError(DatagramSocket socket, SocketError error) => _sink.OnFailed(new ProxyException(SocketErrors.Reason(error), ProxyStage.Dial, _destination));
}
