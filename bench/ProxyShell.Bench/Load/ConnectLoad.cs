using System.Diagnostics;
using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>One request per connection: connect, the proxy's handshake if there is one, request, reply, close, and again.</summary>
/// <remarks>
/// The first words leave right after a connect that does not wait. Over loopback TCP's handshake is complete by then, so a
/// full cycle takes few system calls; only a full backlog leads through the wait for writability. The clients come from
/// several loopback addresses: with one, the search for a client port not used in the last second becomes the limit.
/// </remarks>
internal sealed class ConnectLoad(LoadTarget target, int concurrency) : EpollLoad(target, concurrency)
{
    private const int SourceAddresses = 16;
    private const int LongestAnswer = 4096;

    private readonly Exchange[] _script = [.. target.Handshake, Exchange.OfSizes(target.RequestSize, target.ReplySize)];
    private readonly byte[] _answers = new byte[concurrency * LongestAnswer];
    private readonly int[] _received = new int[concurrency];
    private readonly int[] _step = new int[concurrency];
    private readonly long[] _started = new long[concurrency];
    private readonly bool[] _asked = new bool[concurrency];

    protected override void Open(int slot)
    {
        _started[slot] = Stopwatch.GetTimestamp();
        Sockets[slot] = LoopbackSocket.BeginConnect(Target.Port, slot % SourceAddresses);
        _step[slot] = 0;
        _asked[slot] = TryAsk(slot);
        Epoll.Watch(Sockets[slot], slot, _asked[slot] ? Epoll.Readable : Epoll.Writable);
    }

    protected override void Continue(int slot)
    {
        if (!_asked[slot])
            AskNow(slot);
        else
            ReadAnswer(slot);
    }

    private bool TryAsk(int slot)
    {
        _received[slot] = 0;
        return TrySend(slot, _script[_step[slot]].Request);
    }

    private void AskNow(int slot)
    {
        _asked[slot] = TryAsk(slot);
        if (_asked[slot])
            Epoll.Rewatch(Sockets[slot], slot, Epoll.Readable);
        else if (Marshal.GetLastPInvokeError() != Libc.ErrorAgain)
            Fail(slot);
    }

    private void ReadAnswer(int slot)
    {
        Span<byte> answer = _answers.AsSpan(slot * LongestAnswer, LongestAnswer);
        int count = Receive(slot, answer[_received[slot]..]);
        if (count < 0)
            return;
        _received[slot] += count;
        int length = count == 0 ? Exchange.Refused : _script[_step[slot]].AnswerLength(answer[.._received[slot]]);
        if (length == _received[slot])
            Advance(slot);
        else if (length != 0)
            Fail(slot); // refused, or more came than was asked for
    }

    private void Advance(int slot)
    {
        if (++_step[slot] < _script.Length)
        {
            if (!TryAsk(slot))
                Fail(slot);
            return;
        }

        Complete(_started[slot], Stopwatch.GetTimestamp());
        Close(slot);
        Open(slot);
    }
}
