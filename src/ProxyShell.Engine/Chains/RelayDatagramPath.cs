using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// A path through relay hops that all take datagrams: each datagram carries the requests to all hops, and comes back with their answers.
/// </summary>
internal sealed class RelayDatagramPath : DatagramPath, IDatagramReceiver
{
    // a hop that keeps forgetting is given new requests once in a while only
    private static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(1);

    private readonly DatagramSocket _socket;
    private readonly ChainPath _path;
    private readonly TransportAddress _target;
    private readonly TimeProvider _time;
    private readonly IDatagramSink _sink;
    private volatile DatagramFlight _flight;
    private long _renewed;

    /// <summary>Takes the socket over, which is connected to the first hop.</summary>
    public RelayDatagramPath(DatagramSocket socket, ChainPath path, HostEndpoint destination, TimeProvider time, IDatagramSink sink)
    {
        (_socket, _path, _target, _time, _sink) = (socket, path, TransportAddress.Udp(destination), time, sink);
        _flight = new DatagramFlight(path, _target, time);
        _renewed = time.GetTimestamp();
        socket.Start(this);
    }

    public override int MaxPayload => _socket.MaxPayload - _flight.Overhead;

    public override bool Send(ReadOnlySpan<byte> payload)
    {
        DatagramFlight flight = _flight;
        return payload.Length + flight.Overhead <= _socket.MaxPayload && _socket.Send(flight.Requests, flight.Seal(payload));
    }

    public override void Abort()
    {
        _socket.Dispose();
        _flight.Close();
    }

    void IDatagramReceiver.OnReceived(DatagramSocket socket, in DatagramPeer from, ReadOnlySpan<byte> datagram)
    {
        switch (_flight.Take(datagram, out ReadOnlySpan<byte> payload, out ProxyException? refusal))
        {
            case DatagramArrival.Payload:
                _sink.OnReceived(payload);
                break;
            case DatagramArrival.Refused:
                _sink.OnFailed(refusal!);
                break;
            case DatagramArrival.Forgotten:
                Renew();
                break;
        }
    }

    void IDatagramReceiver.OnError(DatagramSocket socket, SocketError error) =>
        _sink.OnFailed(_path.Fault(0, SocketErrors.Reason(error), ProxyStage.Dial, ProxyErrorText.Describe(SocketErrors.Reason(error))));

    // the datagram that found this out is lost, which may happen to any
    private void Renew()
    {
        if (_time.GetElapsedTime(_renewed) < RenewalPause) return;
        _renewed = _time.GetTimestamp();
        _flight.Close();
        _flight = new DatagramFlight(_path, _target, _time);
    }
}
