using System.Diagnostics;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>Small requests and replies in turn over connections that stay open.</summary>
internal sealed class RequestLoad(LoadTarget target, int connections) : EpollLoad(target, connections)
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _request = new byte[target.RequestSize];
    private readonly byte[] _reply = new byte[BufferSize];
    private readonly int[] _missing = new int[connections];
    private readonly long[] _started = new long[connections];

    protected override void Open(int slot)
    {
        Sockets[slot] = LoopbackSocket.Connect(Target.Port);
        Epoll.Watch(Sockets[slot], slot, Epoll.Readable);
        Request(slot, Stopwatch.GetTimestamp());
    }

    protected override void Continue(int slot)
    {
        int count = Receive(slot, _reply);
        if (count < 0)
            return;
        if (count == 0)
        {
            Fail(slot);
            return;
        }

        _missing[slot] -= count;
        if (_missing[slot] > 0)
            return;
        long now = Stopwatch.GetTimestamp();
        Complete(_started[slot], now);
        Request(slot, now);
    }

    private void Request(int slot, long now)
    {
        _started[slot] = now;
        _missing[slot] = Target.ReplySize;
        if (!TrySend(slot, _request))
            Fail(slot);
    }
}
