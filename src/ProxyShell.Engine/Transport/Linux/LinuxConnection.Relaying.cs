namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Handing a connection over to a relay on a loop, and back.</summary>
internal sealed partial class LinuxConnection
{
    /// <summary>The loop this connection belongs to.</summary>
    internal EpollLoop Loop => _loop;

    /// <summary>The descriptor, for the relay that has taken the connection over.</summary>
    internal SocketDescriptor Descriptor => _socket;

    /// <summary>False when the loop watches the connection and has never seen anything to read.</summary>
    internal bool MayBeReadable => !_registered || _readEpoch != 0;

    /// <summary>
    /// Gives the connection to a relay that runs on <paramref name="loop"/>, on that loop's thread. Returns false when the
    /// connection is closed already. From here to <see cref="LeaveRelay"/> the descriptor stays open and its number valid.
    /// </summary>
    internal bool TryEnterRelay(ISocketRelay relay, EpollLoop loop)
    {
        lock (_gate)
        {
            if (_closed) return false;
            _relay = relay;
            if (_loop != loop)
            {
                if (_registered) _loop.Remove(_socket, _token);
                _registered = false;
                _loop.AddLoad(-1);
                loop.AddLoad(1);
                _loop = loop;
            }
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
}
