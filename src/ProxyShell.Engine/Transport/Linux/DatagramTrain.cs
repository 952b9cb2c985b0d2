using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// Joins datagrams in a row that have one peer and one length into one message each (udp(7), UDP_SEGMENT): the kernel takes them through its
/// layers once and cuts them apart at the end, which halves the cost of small ones. The last of a row may be shorter.
/// </summary>
internal sealed unsafe class DatagramTrain
{
    // UDP_MAX_SEGMENTS of all kernels that know the option
    private const int MaxSegments = 64;

    private readonly MultiMessage* _joined;
    private readonly MemoryPart* _parts;
    private readonly byte* _controls;
    private readonly int[] _firsts;
    private int _joinedCount;
    private int _partCount;

    public DatagramTrain(int capacity)
    {
        _joined = (MultiMessage*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(MultiMessage));
        _parts = (MemoryPart*)NativeMemory.AllocZeroed((nuint)(2 * capacity), (nuint)sizeof(MemoryPart));
        _controls = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * ControlMessage.MaxLength));
        _firsts = new int[capacity + 1];
    }

    /// <summary>Sends the messages through the socket, joined where they can be.</summary>
    public void Send(LinuxDatagramSocket socket, MultiMessage* messages, int count)
    {
        Join(messages, count, socket.MaxPayload);
        for (int sent = 0; sent < _joinedCount && !socket.IsClosed;)
        {
            int result = Libc.SendMessages(socket.Descriptor, _joined + sent, (uint)(_joinedCount - sent), Libc.MSG_NOSIGNAL);
            if (result > 0) sent += result;
            else if (Libc.LastError is var errno && errno != Libc.EINTR) SendApart(socket, messages, sent++, errno);
        }
    }

    private void Join(MultiMessage* messages, int count, int maxTotal)
    {
        (_joinedCount, _partCount) = (0, 0);
        for (int first = 0; first < count;)
        {
            int end = EndOfRow(messages, first, count, maxTotal);
            _firsts[_joinedCount] = first;
            if (end == first + 1) _joined[_joinedCount++] = messages[first];
            else Add(messages, first, end);
            first = end;
        }
        _firsts[_joinedCount] = count;
    }

    private static int EndOfRow(MultiMessage* messages, int first, int count, int maxTotal)
    {
        nint length = Length(messages[first].Message), total = length;
        int end = first + 1;
        while (length > 0 && end < count && end - first < MaxSegments && IsSamePeer(messages[first].Message, messages[end].Message))
        {
            nint next = Length(messages[end].Message);
            total += next;
            if (next == 0 || next > length || total > maxTotal) break;
            end++;
            if (next < length) break;
        }
        return end;
    }

    private void Add(MultiMessage* messages, int first, int end)
    {
        ref Message message = ref messages[first].Message;
        byte* control = _controls + (_joinedCount * ControlMessage.MaxLength);
        new ReadOnlySpan<byte>(message.Control, (int)message.ControlLength).CopyTo(new Span<byte>(control, ControlMessage.MaxLength));
        int partsStart = _partCount;
        for (int i = first; i < end; i++)
        {
            ref Message part = ref messages[i].Message;
            for (int p = 0; p < part.PartCount; p++) _parts[_partCount++] = part.Parts[p];
        }
        _joined[_joinedCount++].Message = message with
        {
            Parts = _parts + partsStart,
            PartCount = _partCount - partsStart,
            Control = control,
            ControlLength = message.ControlLength + ControlMessage.WriteSegment(control + message.ControlLength, (int)Length(message)),
        };
    }

    // Whatever stood against the row (a link of a smaller MTU, a card without checksums, an answer to an earlier datagram), each of it gets its own try.
    private void SendApart(LinuxDatagramSocket socket, MultiMessage* messages, int joined, int errno)
    {
        int first = _firsts[joined], count = _firsts[joined + 1] - first;
        if (count == 1 || errno is not (Libc.EINVAL or Libc.EIO or Libc.EMSGSIZE)) socket.NoteSendError(errno);
        if (count == 1) return;
        if (errno is Libc.EINVAL or Libc.EIO) socket.JoinsDatagrams = false;
        socket.SendEach(messages + first, count);
    }

    private static nint Length(in Message message)
    {
        nint length = 0;
        for (int i = 0; i < message.PartCount; i++) length += message.Parts[i].Length;
        return length;
    }

    private static bool IsSamePeer(in Message left, in Message right) =>
        new ReadOnlySpan<byte>(left.Name, (int)left.NameLength).SequenceEqual(new ReadOnlySpan<byte>(right.Name, (int)right.NameLength))
        && new ReadOnlySpan<byte>(left.Control, (int)left.ControlLength).SequenceEqual(new ReadOnlySpan<byte>(right.Control, (int)right.ControlLength));
}
