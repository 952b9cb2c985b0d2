using System.Diagnostics;
using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>One request per connection: connect, request, reply, close, and again.</summary>
/// <remarks>
/// The request leaves right after a connect that does not wait. Over loopback the handshake is complete by then, so a
/// full cycle takes few system calls; only a full backlog leads through the wait for writability. The clients come from
/// several loopback addresses: with one, the search for a client port not used in the last second becomes the limit.
/// </remarks>
internal sealed class ConnectLoad(LoadTarget target, int concurrency) : EpollLoad(target, concurrency)
{
    private const int SourceAddresses = 16;

    private readonly int[] _missing = new int[concurrency];
    private readonly long[] _started = new long[concurrency];
    private readonly bool[] _requested = new bool[concurrency];

    protected override void Open(int slot)
    {
        _started[slot] = Stopwatch.GetTimestamp();
        _missing[slot] = Target.ReplySize;
        Sockets[slot] = LoopbackSocket.BeginConnect(Target.Port, slot % SourceAddresses);
        _requested[slot] = TrySendRequest(slot);
        Epoll.Watch(Sockets[slot], slot, _requested[slot] ? Epoll.Readable : Epoll.Writable);
    }

    protected override void Continue(int slot)
    {
        if (!_requested[slot])
            RequestNow(slot);
        else
            ReadReply(slot);
    }

    private void RequestNow(int slot)
    {
        _requested[slot] = TrySendRequest(slot);
        if (_requested[slot])
            Epoll.Rewatch(Sockets[slot], slot, Epoll.Readable);
        else if (Marshal.GetLastPInvokeError() != Libc.ErrorAgain)
            Fail(slot);
    }

    private void ReadReply(int slot)
    {
        int count = Receive(slot);
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
        Complete(_started[slot], Stopwatch.GetTimestamp());
        Close(slot);
        Open(slot);
    }
}
