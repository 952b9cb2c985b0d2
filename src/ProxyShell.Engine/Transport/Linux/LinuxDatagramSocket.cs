using System.Net;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// A UDP socket on an epoll loop. It receives on the loop's thread, many datagrams per system call. What is sent from there
/// out of what was just received leaves many at a time too, at the end of the loop's turn; everything else leaves at once.
/// </summary>
internal sealed unsafe partial class LinuxDatagramSocket : DatagramSocket, IEpollHandler
{
    private readonly SocketDescriptor _socket;
    private readonly Lock _gate = new();
    private readonly EpollLoop _loop;
    private readonly bool _isConnected;
    private readonly DatagramPeer _remote;
    private readonly int _family;
    private readonly int _maxLength;
    private readonly bool _isWildcard;
    private IDatagramReceiver? _receiver;
    private ulong _token;
    private volatile bool _closed;

    public LinuxDatagramSocket(SocketDescriptor socket, int family, EpollLoop loop, IPEndPoint? remote, int maxLength)
    {
        (_socket, _family, _loop, _maxLength, _isConnected) = (socket, family, loop, maxLength, remote is not null);
        RemoteEndPoint = remote;
        if (remote is not null) _remote = DatagramPeer.From(remote);
        LocalEndPoint = (IPEndPoint)NativeAddress.Local(socket)!;
        _isWildcard = remote is null && (LocalEndPoint.Address.Equals(IPAddress.Any) || LocalEndPoint.Address.Equals(IPAddress.IPv6Any));
        // fails nowhere; without it the system chooses the address that answers leave from
        if (_isWildcard) _ = family == Libc.AF_INET ? socket.Set(Libc.IPPROTO_IP, Libc.IP_PKTINFO, 1) : socket.Set(Libc.IPPROTO_IPV6, Libc.IPV6_RECVPKTINFO, 1);
        loop.AddLoad(1);
    }

    public override IPEndPoint LocalEndPoint { get; }

    /// <summary>The loop that serves this socket.</summary>
    public EpollLoop Loop => _loop;

    public override void Start(IDatagramReceiver receiver)
    {
        lock (_gate)
        {
            if (_closed) return;
            _receiver = receiver;
            // not edge-triggered: after one batch other descriptors get their turn, and the loop tells of the rest again
            _token = _loop.Add(_socket, Libc.EPOLLIN, this);
        }
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            if (_receiver is not null) _loop.Forget(_token);
            _loop.AddLoad(-1);
            _socket.Dispose();
        }
    }

    void IEpollHandler.OnReady(EpollLoop loop, uint events)
    {
        DatagramBuffers buffers = loop.Datagrams;
        int first = 0, count = TryReceive(buffers, ref first);
        for (int slot = first; slot < first + count && !_closed; slot++)
        {
            if (buffers.IsTruncated(slot)) CountTruncated();
            else _receiver!.OnReceived(this, _isConnected ? _remote : buffers.Peer(slot), buffers.Datagram(slot));
        }
    }

    void IEpollHandler.OnFault(Exception error) => Dispose();

    private int TryReceive(DatagramBuffers buffers, ref int first)
    {
        try
        {
            if (_closed) return 0;
            int count = buffers.Receive(_socket, _maxLength, _isWildcard, out first);
            if (count >= 0) return count;
            int errno = Libc.LastError;
            if (errno is not (Libc.EAGAIN or Libc.EINTR)) _receiver!.OnError(this, Errno.ToSocketError(errno));
        }
        catch (ObjectDisposedException)
        {
            // closed by another thread
        }
        return 0;
    }
}
