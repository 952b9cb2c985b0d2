using System.Diagnostics;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Origins;

namespace ProxyShell.Bench.Load;

/// <summary>GET requests in turn over connections that stay open, each with a host name of the given ones.</summary>
/// <param name="pace">
/// The time from one request of a client to its next; null for as fast as answers come. A client that is late goes on at once and does not catch up:
/// answers that take longer than this lower the rate.
/// </param>
internal sealed class HttpLoad(LoadTarget target, int connections, IReadOnlyList<string> hosts, TimeSpan? pace = null) : EpollLoad(target, connections)
{
    private const int LongestAnswer = 4096;
    private const long UnderWay = long.MaxValue;

    private readonly byte[][] _requests = [.. hosts.Select(host => HttpAnswer.Get(host, WebServer.SmallPath))];
    private readonly byte[] _answers = new byte[connections * LongestAnswer];
    private readonly int[] _received = new int[connections];
    private readonly long[] _started = new long[connections];
    private readonly long[] _due = new long[connections];
    private readonly long[] _planned = new long[connections];
    private readonly long _interval = (long)((pace ?? TimeSpan.Zero).TotalSeconds * Stopwatch.Frequency);
    private readonly int _connections = connections;

    protected override int LongestWait => _interval == 0 ? base.LongestWait : 1;

    protected override void Open(int slot)
    {
        Sockets[slot] = LoopbackSocket.Connect(Target.Port);
        Epoll.Watch(Sockets[slot], slot, Epoll.Readable);
        long now = Stopwatch.GetTimestamp();
        if (_interval > 0 && _planned[slot] == 0)
            _planned[slot] = now - _interval + (_interval * slot / _connections); // spread over the interval
        Proceed(slot, now);
    }

    protected override void Continue(int slot)
    {
        Span<byte> room = _answers.AsSpan(slot * LongestAnswer, LongestAnswer);
        int count = Receive(slot, room[_received[slot]..]);
        if (count < 0)
            return;
        _received[slot] += count;
        int length = count == 0 ? Exchange.Refused : HttpAnswer.Length(room[.._received[slot]]);
        if (length == _received[slot])
        {
            long now = Stopwatch.GetTimestamp();
            Complete(_started[slot], now);
            Proceed(slot, now);
        }
        else if (length != 0)
        {
            Fail(slot); // refused, or more came than was asked for
        }
    }

    protected override void Look()
    {
        if (_interval == 0)
            return;
        long now = Stopwatch.GetTimestamp();
        for (int slot = 0; slot < _due.Length; slot++)
        {
            if (_due[slot] <= now)
                Request(slot, now);
        }
    }

    private void Proceed(int slot, long now)
    {
        if (_interval == 0)
            Request(slot, now);
        else
            _due[slot] = _planned[slot] = Math.Max(_planned[slot] + _interval, now);
    }

    private void Request(int slot, long now)
    {
        _started[slot] = now;
        _due[slot] = UnderWay;
        _received[slot] = 0;
        if (!TrySend(slot, _requests[slot % _requests.Length]))
            Fail(slot);
    }
}
