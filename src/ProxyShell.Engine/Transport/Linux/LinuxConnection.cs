using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// A stream socket on an epoll loop. System calls are tried first; only what would block waits for the loop. A relay can take
/// the connection over (see LinuxConnection.Relaying.cs), after which the loop speaks to the relay alone.
/// </summary>
internal sealed partial class LinuxConnection : DuplexConnection, IEpollHandler
{
    private const uint Interest = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLPRI | Libc.EPOLLRDHUP | Libc.EPOLLET;
    private const uint ReadEvents = Libc.EPOLLIN | Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR;
    private const uint WriteEvents = Libc.EPOLLOUT | Libc.EPOLLHUP | Libc.EPOLLERR;

    private readonly SocketDescriptor _socket;
    private readonly Lock _gate = new();
    private readonly bool _isUnix;
    private EpollLoop _loop;
    private ReadinessWaiter? _reader;
    private ReadinessWaiter? _writer;
    private ISocketRelay? _relay;
    private ulong _token;
    private uint _readEpoch;
    private uint _writeEpoch;
    private uint _seenEvents;
    private uint _drainedEpoch;
    private bool _hasDrained;
    private bool _registered;
    private bool _closed;
    private bool _expectsBulk;

    public LinuxConnection(SocketDescriptor socket, EpollLoop loop, EndPoint? remote)
    {
        (_socket, _loop, RemoteEndPoint) = (socket, loop, remote);
        _isUnix = remote is null or UnixDomainSocketEndPoint;
        loop.AddLoad(1);
    }

    public override EndPoint? RemoteEndPoint { get; }

    public override EndPoint? LocalEndPoint => _isUnix || _closed ? null : NativeAddress.Local(_socket);

    /// <summary>
    /// Whether awaiting code goes on directly on the loop's thread. Only for code that never blocks and computes little;
    /// everything else (TLS, callers outside the engine) goes on in the pool.
    /// </summary>
    public bool ContinuesOnLoop { get; set; }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        uint seen = Volatile.Read(ref _writeEpoch);
        buffer = buffer[Send(buffer.Span)..];
        return buffer.IsEmpty ? ValueTask.CompletedTask : WriteRestAsync(buffer, seen, cancellationToken);
    }

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            ThrowIfClosed();
            if (Libc.Shutdown(_socket, Libc.SHUT_WR) != 0) throw SocketErrors.Relay(Errno.Exception(Libc.LastError));
            return ValueTask.CompletedTask;
        }
        catch (ObjectDisposedException)
        {
            throw Aborted();
        }
    }

    public override void Abort() => Close(reset: true);

    public override ValueTask DisposeAsync()
    {
        Close(reset: false);
        return ValueTask.CompletedTask;
    }

    /// <summary>Completes when a connect under way has come to its end; throws what it came to.</summary>
    public async ValueTask FinishConnectAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(forRead: false, seen: 0, cancellationToken).ConfigureAwait(false);
        if ((_seenEvents & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0 && _socket.TakeError() is not 0 and var errno) throw Errno.Exception(errno);
    }

    void IEpollHandler.OnReady(EpollLoop loop, uint events)
    {
        ReadinessWaiter? reader = null, writer = null;
        lock (_gate)
        {
            // an event of a loop that the connection has left; the new loop tells of the same readiness
            if (loop != _loop || _closed) return;
            if (_relay is null)
            {
                _seenEvents |= events;
                if ((events & ReadEvents) != 0)
                {
                    Volatile.Write(ref _readEpoch, _readEpoch + 1);
                    (reader, _reader) = (_reader, null);
                }
                if ((events & WriteEvents) != 0)
                {
                    _writeEpoch++;
                    (writer, _writer) = (_writer, null);
                }
            }
        }
        if (_relay is { } relay) relay.OnReady(this, events);
        reader?.Complete();
        writer?.Complete();
    }

    internal override EpollLoop Loop => _loop;

    internal override void ExpectBulk()
    {
        if (_expectsBulk) return;
        _expectsBulk = true;
        if (!_closed && RemoteEndPoint is IPEndPoint { Address: { } address } && IPAddress.IsLoopback(address)) _socket.Unpace();
    }

    internal override void ContinueOn(EpollLoop loop)
    {
        ContinuesOnLoop = true;
        lock (_gate)
        {
            if (!_closed) Move(loop);
        }
    }

    void IEpollHandler.OnFault(Exception error) => Abort();

    /// <summary>Takes a waiter back; whoever takes it out of its place, under the lock, is the one to complete it.</summary>
    internal bool TryWithdraw(ReadinessWaiter waiter)
    {
        lock (_gate)
        {
            if (_reader == waiter) _reader = null;
            else if (_writer == waiter) _writer = null;
            else return false;
            return true;
        }
    }

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        uint seen = Volatile.Read(ref _readEpoch);
        int count = Receive(buffer.Span);
        return count >= 0 ? new ValueTask<int>(count) : ReadRestAsync(buffer, seen, cancellationToken);
    }

    private protected override int TryReadCore(Span<byte> buffer) => Receive(buffer);

    // whatever the loop tells after the socket was emptied is worth a try
    internal override ValueTask<int> WaitToReadAsync(CancellationToken cancellationToken)
    {
        uint seen = Volatile.Read(ref _readEpoch);
        return IsDrainedAt(seen) ? WaitForMoreAsync(seen, cancellationToken) : base.WaitToReadAsync(cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitForMoreAsync(uint seen, CancellationToken cancellationToken)
    {
        await WaitAsync(forRead: true, seen, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadRestAsync(Memory<byte> buffer, uint seen, CancellationToken cancellationToken)
    {
        while (true)
        {
            await WaitAsync(forRead: true, seen, cancellationToken).ConfigureAwait(false);
            seen = Volatile.Read(ref _readEpoch);
            int count = Receive(buffer.Span);
            if (count >= 0) return count;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteRestAsync(ReadOnlyMemory<byte> buffer, uint seen, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            await WaitAsync(forRead: false, seen, cancellationToken).ConfigureAwait(false);
            seen = Volatile.Read(ref _writeEpoch);
            buffer = buffer[Send(buffer.Span)..];
        }
    }

    // Readiness that came after `seen` was read is not waited for: the caller tries again at once.
    private ValueTask WaitAsync(bool forRead, uint seen, CancellationToken cancellationToken)
    {
        ReadinessWaiter waiter;
        lock (_gate)
        {
            ThrowIfClosed();
            if ((forRead ? _readEpoch : _writeEpoch) != seen) return ValueTask.CompletedTask;
            waiter = ReadinessWaiter.Rent(ContinuesOnLoop);
            if (forRead) _reader = waiter;
            else _writer = waiter;
            Register();
        }
        ValueTask task = waiter.Task;
        waiter.CancelWith(this, cancellationToken);
        return task;
    }

    private void Register()
    {
        if (_registered) return;
        _token = _loop.Add(_socket, Interest, this);
        _registered = true;
    }

    private void Close(bool reset)
    {
        ReadinessWaiter? reader, writer;
        ISocketRelay? relay;
        lock (_gate)
        {
            if (_closed) return;
            relay = _relay;
            if (relay is null) CloseDescriptor(reset);
            (reader, writer, _reader, _writer) = (_reader, _writer, null, null);
        }
        relay?.OnAbort(this);
        if (reader is null && writer is null) return;
        ProxyException error = Aborted();
        reader?.Fail(error);
        writer?.Fail(error);
    }

    private void CloseDescriptor(bool reset)
    {
        _closed = true;
        if (reset && !_isUnix) _socket.ResetOnClose();
        if (_registered) _loop.Forget(_token);
        _loop.AddLoad(-1);
        _socket.Dispose();
    }

    private void ThrowIfClosed()
    {
        if (_closed) throw Aborted();
    }

    private static ProxyException Aborted() => SocketErrors.Relay(new SocketException((int)SocketError.ConnectionAborted));
}
