using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// A loop's memory for datagrams on their way through: slots into which sockets receive many at a time, and an outbox that holds those
/// to be sent, so that they leave many at a time as well. What the outbox refers to stays in its slot until it is flushed, which
/// happens at the end of each turn of the loop, or earlier when the slots run out.
/// </summary>
internal sealed unsafe class DatagramBuffers
{
    /// <summary>The most datagrams that one look at a socket takes.</summary>
    public const int BatchSize = 32;

    private const int SlotCount = 64;

    // not a power of two: slots that begin at the same place of their page would share few lines of the cache
    private const int SlotLength = DatagramSocket.MaxLength + 1 + 320;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(SlotCount * SlotLength, 64);
    private readonly byte* _names = (byte*)NativeMemory.AllocZeroed(SlotCount * NativeAddress.MaxLength);
    private readonly byte* _controls = (byte*)NativeMemory.AllocZeroed(SlotCount * ControlMessage.MaxLength);
    private readonly MemoryPart* _parts = (MemoryPart*)NativeMemory.AllocZeroed(SlotCount, (nuint)sizeof(MemoryPart));
    private readonly MultiMessage* _messages = (MultiMessage*)NativeMemory.AllocZeroed(SlotCount, (nuint)sizeof(MultiMessage));
    private readonly DatagramOutbox _outbox = new();
    private int _used;

    public DatagramBuffers()
    {
        for (int i = 0; i < SlotCount; i++)
        {
            _parts[i].Start = _memory + (i * SlotLength);
            _messages[i].Message.Name = _names + (i * NativeAddress.MaxLength);
            _messages[i].Message.Parts = &_parts[i];
            _messages[i].Message.PartCount = 1;
            _messages[i].Message.Control = _controls + (i * ControlMessage.MaxLength);
        }
    }

    /// <summary>What waits to be sent.</summary>
    public DatagramOutbox Outbox => _outbox;

    /// <summary>Whether these bytes stay where they are until the next flush.</summary>
    public bool Holds(byte* start) => start >= _memory && start < _memory + (SlotCount * SlotLength);

    /// <summary>Receives what is there, at most <see cref="BatchSize"/> datagrams; returns how many, or -1 with the error set. The first is at <paramref name="first"/>.</summary>
    public int Receive(SocketDescriptor socket, int maxLength, bool wantsLocal, out int first)
    {
        if (SlotCount - _used < BatchSize) Flush();
        first = _used;
        for (int i = first; i < first + BatchSize; i++)
        {
            _parts[i].Length = maxLength;
            _messages[i].Message.NameLength = NativeAddress.MaxLength;
            _messages[i].Message.ControlLength = wantsLocal ? ControlMessage.MaxLength : 0;
        }
        int count = Libc.ReceiveMessages(socket, _messages + first, BatchSize, 0, null);
        _used += Math.Max(count, 0);
        return count;
    }

    /// <summary>Whether the datagram did not fit and is not whole.</summary>
    public bool IsTruncated(int slot) => (_messages[slot].Message.Flags & Libc.MSG_TRUNC) != 0;

    public ReadOnlySpan<byte> Datagram(int slot) => new(_parts[slot].Start, (int)_messages[slot].Length);

    public DatagramPeer Peer(int slot) =>
        NativeAddress.ReadPeer(_messages[slot].Message.Name, ControlMessage.ReadLocal(_messages[slot].Message.Control, _messages[slot].Message.ControlLength));

    /// <summary>Sends what waits, after which all slots are free.</summary>
    public void Flush()
    {
        _outbox.Flush();
        _used = 0;
    }
}
