namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Handing a connection over to a relay on a loop, and back.</summary>
internal sealed partial class LinuxConnection
{
    /// <summary>The descriptor, for the relay that has taken the connection over.</summary>
    internal SocketDescriptor Descriptor => _socket;

    /// <summary>
    /// Gives the connection to a relay that runs on <paramref name="loop"/>, on that loop's thread. Returns false when the
    /// connection is closed already. <paramref name="seen"/> is all that the loop has told of the connection so far, which it will
    /// not tell again: readiness comes once per change. From here to <see cref="LeaveRelay"/> the descriptor stays open and its number valid.
    /// </summary>
    internal bool TryEnterRelay(ISocketRelay relay, EpollLoop loop, out uint seen)
    {
        lock (_gate)
        {
            // what was never watched may have anything to read
            seen = _registered ? _seenEvents : Libc.EPOLLIN;
            if (IsDrainedAt(_readEpoch)) seen &= ~Libc.EPOLLIN;
            if (_closed) return false;
            _relay = relay;
            Move(loop);
            Register();
            return true;
        }
    }

    /// <summary>Ends the relay's hold and closes the connection.</summary>
    internal void LeaveRelay(bool reset)
    {
        lock (_gate)
        {
            if (_closed) return;
            _relay = null;
            CloseDescriptor(reset);
        }
    }

    // the new loop tells of everything that is ready already
    private void Move(EpollLoop loop)
    {
        if (_loop == loop) return;
        bool wasRegistered = _registered;
        if (_registered) _loop.Remove(_socket, _token);
        _registered = false;
        _loop.AddLoad(-1);
        loop.AddLoad(1);
        _loop = loop;
        if (wasRegistered) Register();
    }
}
