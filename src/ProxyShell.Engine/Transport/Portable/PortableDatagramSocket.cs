using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Transport.Portable;

/// <summary>A UDP socket of .NET with one receiving loop.</summary>
internal sealed class PortableDatagramSocket : DatagramSocket
{
    private readonly Socket _socket;
    private readonly DatagramPeer _remote;
    private readonly bool _connected;
    private readonly int _maxLength;
    private readonly CancellationTokenSource _stop = new();
    private IDatagramReceiver? _receiver;

    public PortableDatagramSocket(Socket socket, IPEndPoint? remote, int maxLength)
    {
        (_socket, _maxLength, _connected) = (socket, maxLength, remote is not null);
        RemoteEndPoint = remote;
        if (remote is not null) _remote = DatagramPeer.From(remote);
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        socket.Blocking = false;
    }

    public override IPEndPoint LocalEndPoint { get; }

    // ends with the socket
    public override void Start(IDatagramReceiver receiver)
    {
        _receiver = receiver;
        _ = Task.Run(() => ReceiveAsync(receiver));
    }

    public override bool Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body) => SendJoined(null, head, body);

    public override bool SendTo(in DatagramPeer to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body) =>
        SendJoined(to.ToEndPoint(_socket.AddressFamily).Serialize(), head, body);

    public override void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        _socket.Dispose();
    }

    private bool SendJoined(SocketAddress? to, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        int length = head.Length + body.Length;
        if (length > MaxPayload) return false;
        if (head.IsEmpty) return Send(to, body);
        byte[] joined = ArrayPool<byte>.Shared.Rent(length);
        head.CopyTo(joined);
        body.CopyTo(joined.AsSpan(head.Length));
        bool sent = Send(to, joined.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(joined);
        return sent;
    }

    private bool Send(SocketAddress? to, ReadOnlySpan<byte> datagram)
    {
        try
        {
            return to is null
                ? _socket.Send(datagram, SocketFlags.None) == datagram.Length
                : _socket.SendTo(datagram, SocketFlags.None, to) == datagram.Length;
        }
        catch (SocketException e)
        {
            // the error belongs to an earlier datagram: the receiving loop may never see it
            if (_connected && IsFromPeer(e.SocketErrorCode)) _receiver?.OnError(this, Refused(e.SocketErrorCode));
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private async Task ReceiveAsync(IDatagramReceiver receiver)
    {
        // one byte more than is taken shows what is too long
        byte[] buffer = GC.AllocateUninitializedArray<byte>(_maxLength + 1);
        var from = new SocketAddress(_socket.AddressFamily);
        var pause = default(AcceptBackOff);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                int count = _connected
                    ? await _socket.ReceiveAsync(buffer, SocketFlags.None, _stop.Token).ConfigureAwait(false)
                    : await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stop.Token).ConfigureAwait(false);
                pause.Reset();
                if (count > _maxLength) CountTruncated();
                else receiver.OnReceived(this, _connected ? _remote : Read(from), buffer.AsSpan(0, count));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
            {
                CountTruncated();
            }
            catch (SocketException e)
            {
                if (_stop.IsCancellationRequested) return;
                if (_connected) receiver.OnError(this, Refused(e.SocketErrorCode));
                // Windows tells an unconnected socket too that nobody listened where it sent to
                else if (!IsFromPeer(e.SocketErrorCode)) receiver.OnError(this, e.SocketErrorCode);
                await Task.Delay(pause.Next(), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static bool IsFromPeer(SocketError error) => error
        is SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown;

    // Windows calls the answer to a datagram that nobody took a reset
    private static SocketError Refused(SocketError error) => error == SocketError.ConnectionReset ? SocketError.ConnectionRefused : error;

    // sockaddr_in and sockaddr_in6, which differ between systems in their first two bytes only
    private static DatagramPeer Read(SocketAddress from)
    {
        ReadOnlySpan<byte> bytes = from.Buffer.Span;
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return from.Family == AddressFamily.InterNetwork
            ? new DatagramPeer(DatagramPeer.Mapped(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])), port, 0, UInt128.Zero)
            : new DatagramPeer(BinaryPrimitives.ReadUInt128BigEndian(bytes[8..]), port, BitConverter.ToUInt32(bytes[24..]), UInt128.Zero);
    }
}
