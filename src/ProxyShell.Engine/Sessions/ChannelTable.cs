using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>The open channels of a session, and the numbers of those to come.</summary>
internal sealed class ChannelTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ChannelId, SessionChannel> _channels = [];
    private readonly int _most;
    private readonly int _step;
    private long _lastOffered;
    private long _lastReceived;
    private ProxyException? _failure;

    /// <summary>Odd parties count 1, 3, 5… and even ones 2, 4, 6…; where numbers belong to both (null), each counts by one behind the seeded ones.</summary>
    public ChannelTable(int most, bool? isOdd, int seeded)
    {
        _most = most;
        _step = isOdd is null ? 1 : 2;
        _lastOffered = isOdd switch { null => seeded, true => -1, false => 0 };
    }

    public int Count
    {
        get
        {
            lock (_gate) return _channels.Count;
        }
    }

    /// <summary>The number of the next channel that this side offers.</summary>
    public ChannelId NextId()
    {
        lock (_gate) return new ChannelId(_lastOffered += _step, ChannelSource.Local);
    }

    /// <summary>Adds a channel, unless there are too many.</summary>
    /// <exception cref="ProxyException">The session is over.</exception>
    public bool TryAdd(SessionChannel channel)
    {
        lock (_gate)
        {
            if (_failure is not null) throw _failure;
            if (_channels.Count >= _most) return false;
            _channels.Add(channel.Id, channel);
            return true;
        }
    }

    public SessionChannel? Find(ChannelId id)
    {
        lock (_gate) return _channels.GetValueOrDefault(id);
    }

    /// <summary>Notes that the peer has offered the channel; false when it is open already.</summary>
    public bool NoteOffered(ChannelId id)
    {
        lock (_gate)
        {
            _lastReceived = Math.Max(_lastReceived, id.Number);
            return !_channels.ContainsKey(id);
        }
    }

    /// <summary>Whether there may have been such a channel: then frames about it are late, else they are wrong.</summary>
    public bool MayHaveBeen(ChannelId id)
    {
        lock (_gate) return id.Number <= (id.Source == ChannelSource.Remote ? _lastReceived : _lastOffered);
    }

    public bool Remove(SessionChannel channel)
    {
        lock (_gate) return _channels.Remove(channel.Id);
    }

    /// <summary>All channels now.</summary>
    public SessionChannel[] Snapshot()
    {
        lock (_gate) return [.. _channels.Values];
    }

    /// <summary>Takes no more channels, and empties itself; returns those that were in it.</summary>
    public SessionChannel[] Close(ProxyException failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            SessionChannel[] left = [.. _channels.Values];
            _channels.Clear();
            return left;
        }
    }
}
