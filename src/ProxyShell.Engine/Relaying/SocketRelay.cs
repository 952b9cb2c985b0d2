using System.Net.Sockets;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport.Linux;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// The relay for two sockets on Linux. Everything happens on the loop of the client's connection: both descriptors are registered
/// there, both pumps run there, and both are closed there, so that no descriptor is used after it is closed.
/// </summary>
internal sealed class SocketRelay : ISocketRelay, ILoopWork
{
    private readonly LinuxConnection _client;
    private readonly LinuxConnection _upstream;
    private readonly Traffic _traffic;
    private readonly Bandwidth _bandwidth;
    private readonly EpollLoop _loop;
    private readonly SocketPump _up;
    private readonly SocketPump _down;
    private readonly TaskCompletionSource<ProxyException?> _ended = new();
    private bool _started;
    private volatile bool _abortAsked;
    private bool _posted;

    public SocketRelay(LinuxConnection client, LinuxConnection upstream, Traffic traffic, Bandwidth bandwidth)
    {
        (_client, _upstream, _traffic, _bandwidth, _loop) = (client, upstream, traffic, bandwidth, client.Loop);
        _up = new SocketPump(client.Descriptor, upstream.Descriptor);
        _down = new SocketPump(upstream.Descriptor, client.Descriptor);
    }

    /// <summary>Completes, on the loop's thread, when both connections are closed; null after an orderly end.</summary>
    public Task<ProxyException?> RunAsync()
    {
        if (_loop.IsCurrent) ((ILoopWork)this).Run(_loop);
        else _loop.Post(this);
        return _ended.Task;
    }

    void ISocketRelay.OnReady(LinuxConnection connection, uint events)
    {
        (SocketPump reading, SocketPump writing) = connection == _client ? (_up, _down) : (_down, _up);
        Note(reading, events);
        if ((events & (Libc.EPOLLOUT | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0) writing.SinkReady = true;
        Pump();
    }

    void ISocketRelay.OnAbort(LinuxConnection connection)
    {
        _abortAsked = true;
        _loop.Post(this);
    }

    void ILoopWork.Run(EpollLoop loop)
    {
        _posted = false;
        if (_ended.Task.IsCompleted) return;
        if (!_started && !Start()) return;
        if (_abortAsked) Fail(ProxySide.None, new SocketException((int)SocketError.ConnectionAborted));
        else Pump();
    }

    void ILoopWork.OnFault(Exception error) => End(RelayFailure.On(ProxySide.None, error));

    private bool Start()
    {
        _started = true;
        bool entered = _client.TryEnterRelay(this, _loop, out uint client) & _upstream.TryEnterRelay(this, _loop, out uint upstream);
        if (entered)
        {
            Note(_up, client);
            Note(_down, upstream);
        }
        else
        {
            Fail(ProxySide.None, new SocketException((int)SocketError.ConnectionAborted));
        }
        return entered;
    }

    private static void Note(SocketPump reading, uint events)
    {
        const uint End = Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR;
        if ((events & (Libc.EPOLLIN | End)) != 0) reading.SourceReady = true;
        if ((events & (End | Libc.EPOLLPRI)) != 0) reading.ReadToTheEnd = true;
        if ((events & Libc.EPOLLERR) != 0) reading.SourceInError = true;
    }

    private void Pump()
    {
        Limit(_up, TrafficDirection.Sent);
        Limit(_down, TrafficDirection.Received);
        PumpOutcome up = _up.Run(_loop, _down.Finished, out long sent);
        _traffic.AddSent(sent);
        if (Failed(up, _up, ProxySide.Client, ProxySide.Upstream)) return;
        PumpOutcome down = _down.Run(_loop, _up.Finished, out long received);
        _traffic.AddReceived(received);
        if (Failed(down, _down, ProxySide.Upstream, ProxySide.Client)) return;
        if (_up.Finished && _down.Finished) End(null);
        else if ((up == PumpOutcome.HasMore || down == PumpOutcome.HasMore) && !_posted)
        {
            _posted = true;
            _loop.Post(this);
        }
    }

    // a limit may be set while the relay runs
    private void Limit(SocketPump pump, TrafficDirection direction)
    {
        if (pump.Claim is null && _bandwidth.IsLimited(direction)) pump.Claim = new LoopClaim(_bandwidth, direction, _loop, this);
    }

    private bool Failed(PumpOutcome outcome, SocketPump pump, ProxySide source, ProxySide sink)
    {
        if (outcome is not (PumpOutcome.SourceFailed or PumpOutcome.SinkFailed)) return false;
        Fail(outcome == PumpOutcome.SourceFailed ? source : sink, Errno.Exception(pump.Error));
        return true;
    }

    private void Fail(ProxySide side, SocketException error) => End(RelayFailure.On(side, Transport.SocketErrors.Relay(error)));

    private void End(ProxyException? failure)
    {
        if (_ended.Task.IsCompleted) return;
        _up.Release(_loop);
        _down.Release(_loop);
        _up.Claim?.GiveUp();
        _down.Claim?.GiveUp();
        // a failure is passed on as a reset, so that nobody takes a torn stream for a whole one
        _client.LeaveRelay(reset: failure is not null);
        _upstream.LeaveRelay(reset: failure is not null);
        _ended.TrySetResult(failure);
    }
}
