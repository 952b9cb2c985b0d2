using System.Buffers.Binary;
using System.Diagnostics;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>Datagrams that an origin echoes; each client keeps a fixed number of them under way.</summary>
/// <remarks>
/// The window is small enough that all datagrams of all clients fit into one receive buffer of the system's default size, so
/// that nothing is lost. What does not come back in time counts as a failure, as does what comes to the wrong client or with
/// another length. The clients open their flows one after the other, because a relay that forks takes its time for that.
/// </remarks>
internal sealed class DatagramLoad : EpollLoad
{
    internal const int HeaderSize = 16; // time sent, client, place in the window

    private const int AttemptsToOpen = 25;
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LossTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly DatagramBatch _incoming;
    private readonly DatagramBatch _outgoing;
    private readonly long[] _sent;
    private readonly int _clients;
    private readonly int _window;
    private long _lastLook;

    internal DatagramLoad(LoadTarget target, int clients, int window)
        : base(target, clients)
    {
        _clients = clients;
        _window = window;
        _sent = new long[clients * window];
        _incoming = new DatagramBatch(window, target.ReplySize + 1, named: false);
        _outgoing = new DatagramBatch(window, target.RequestSize, named: false);
    }

    public override void Dispose()
    {
        base.Dispose();
        _incoming.Dispose();
        _outgoing.Dispose();
    }

    protected override void Open(int slot)
    {
        Sockets[slot] = LoopbackSocket.ConnectDatagrams(Target.Port);
        OpenFlow(slot);
        for (int place = 0; place < _window; place++)
            Write(place, slot, place, Stopwatch.GetTimestamp());
        _outgoing.Send(Sockets[slot], _window);
        Epoll.Watch(Sockets[slot], slot, Epoll.Readable);
    }

    protected override void Continue(int slot)
    {
        int count = _incoming.Receive(Sockets[slot], Libc.MessageDontWait);
        long now = Stopwatch.GetTimestamp();
        int answers = 0;
        for (int i = 0; i < count; i++)
        {
            if (TryComplete(_incoming.Received(i), slot, now, out int place))
                Write(answers++, slot, place, now);
        }

        _outgoing.Send(Sockets[slot], answers);
    }

    protected override void Look()
    {
        if (Stopwatch.GetElapsedTime(_lastLook) < LookInterval)
            return;
        _lastLook = Stopwatch.GetTimestamp();
        for (int i = 0; i < _sent.Length; i++)
        {
            if (Stopwatch.GetElapsedTime(_sent[i], _lastLook) < LossTimeout)
                continue;
            CountFailure();
            Write(0, i / _window, i % _window, _lastLook);
            _outgoing.Send(Sockets[i / _window], 1);
        }
    }

    private void OpenFlow(int slot)
    {
        LoopbackSocket.SetReceiveTimeout(Sockets[slot], OpenTimeout);
        for (int attempt = 0; attempt < AttemptsToOpen; attempt++)
        {
            Write(0, slot, 0, Stopwatch.GetTimestamp());
            _outgoing.Send(Sockets[slot], 1);
            if (_incoming.Receive(Sockets[slot], Libc.MessageWaitForOne) > 0)
                return;
        }

        throw new IOException($"client {slot + 1} of {_clients} hears no echo");
    }

    // false for a datagram that was already counted as lost
    private bool TryComplete(ReadOnlySpan<byte> datagram, int slot, long now, out int place)
    {
        place = 0;
        if (datagram.Length != Target.ReplySize || BinaryPrimitives.ReadInt32LittleEndian(datagram[8..]) != slot)
        {
            CountFailure();
            return false;
        }

        long sent = BinaryPrimitives.ReadInt64LittleEndian(datagram);
        place = BinaryPrimitives.ReadInt32LittleEndian(datagram[12..]);
        if (_sent[(slot * _window) + place] != sent)
            return false;
        Complete(sent, now);
        return true;
    }

    private void Write(int index, int slot, int place, long now)
    {
        Span<byte> datagram = _outgoing.Prepare(index, Target.RequestSize);
        BinaryPrimitives.WriteInt64LittleEndian(datagram, now);
        BinaryPrimitives.WriteInt32LittleEndian(datagram[8..], slot);
        BinaryPrimitives.WriteInt32LittleEndian(datagram[12..], place);
        _sent[(slot * _window) + place] = now;
    }
}
