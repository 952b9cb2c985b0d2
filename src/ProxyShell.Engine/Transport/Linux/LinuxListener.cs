using System.Net;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>A listening socket that all loops watch; the kernel wakes one of them per connection (EPOLLEXCLUSIVE).</summary>
internal sealed class LinuxListener(SocketDescriptor socket, EndPoint local) : ConnectionListener, IEpollHandler
{
    // more wait in the backlog; other descriptors get their turn first
    private const int AcceptsPerTurn = 16;

    private readonly Lock _gate = new();
    private readonly List<(EpollLoop Loop, ulong Token)> _watchers = [];
    private Action<DuplexConnection>? _accepted;
    private Action<Exception>? _trouble;
    private AcceptBackOff _backOff;
    private Timer? _resume;
    private bool _closed;

    public override EndPoint LocalEndPoint { get; } = local;

    public override void Start(Action<DuplexConnection> accepted, Action<Exception> trouble)
    {
        (_accepted, _trouble) = (accepted, trouble);
        _resume = new Timer(static state => ((LinuxListener)state!).Watch(), this, Timeout.Infinite, Timeout.Infinite);
        Watch();
    }

    public override async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            Unwatch();
            socket.Dispose();
        }
        if (_resume is not null) await _resume.DisposeAsync().ConfigureAwait(false);
    }

    void IEpollHandler.OnReady(EpollLoop loop, uint events)
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            if (_closed || !TryAccept(loop)) return;
        }
    }

    void IEpollHandler.OnFault(Exception error) => _trouble!(error);

    private unsafe bool TryAccept(EpollLoop loop)
    {
        byte* address = stackalloc byte[NativeAddress.MaxLength];
        uint length = NativeAddress.MaxLength;
        int fd;
        try
        {
            fd = Libc.Accept(socket, address, &length, Libc.SOCK_NONBLOCK_CLOEXEC);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        if (fd < 0) return OnError(Libc.LastError);
        _backOff.Reset();
        var accepted = new SocketDescriptor(fd);
        EpollLoop home = EpollLoops.Place(loop);
        var connection = new LinuxConnection(accepted, home, NativeAddress.Read(address, length)) { ContinuesOnLoop = true };
        if (home == loop) _accepted!(connection);
        else home.Post(new Handover(this, connection));
        return true;
    }

    private bool OnError(int errno)
    {
        if (errno is Libc.EINTR or Libc.ECONNABORTED) return true;
        if (errno == Libc.EAGAIN) return false;
        lock (_gate)
        {
            if (_closed) return false;
            Unwatch();
            _resume!.Change(_backOff.Next(), Timeout.InfiniteTimeSpan);
        }
        _trouble!(Errno.Exception(errno));
        return false;
    }

    private void Watch()
    {
        lock (_gate)
        {
            if (_closed || _watchers.Count > 0) return;
            foreach (EpollLoop loop in EpollLoops.All) _watchers.Add((loop, loop.Add(socket, Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE, this)));
        }
    }

    private void Unwatch()
    {
        foreach ((EpollLoop loop, ulong token) in _watchers) loop.Remove(socket, token);
        _watchers.Clear();
    }

    private sealed class Handover(LinuxListener listener, LinuxConnection connection) : ILoopWork
    {
        public void Run(EpollLoop loop) => listener._accepted!(connection);

        public void OnFault(Exception error)
        {
            connection.Abort();
            listener._trouble!(error);
        }
    }
}
