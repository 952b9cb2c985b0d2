using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// Datagrams of one socket in a row, to be sent with one system call. A datagram of another socket sends them first.
/// </summary>
internal sealed unsafe class DatagramOutbox
{
    private const int Capacity = 64;
    private const int HeadCapacity = 512;

    private readonly MultiMessage* _messages = (MultiMessage*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(MultiMessage));
    private readonly MemoryPart* _parts = (MemoryPart*)NativeMemory.AllocZeroed(2 * Capacity, (nuint)sizeof(MemoryPart));
    private readonly byte* _heads = (byte*)NativeMemory.Alloc(Capacity * HeadCapacity);
    private readonly byte* _names = (byte*)NativeMemory.AllocZeroed(Capacity * NativeAddress.MaxLength);
    private readonly byte* _controls = (byte*)NativeMemory.AllocZeroed(Capacity * ControlMessage.MaxLength);
    private readonly DatagramTrain _train = new(Capacity);
    private LinuxDatagramSocket? _socket;
    private int _count;

    public DatagramOutbox()
    {
        for (int i = 0; i < Capacity; i++)
        {
            _parts[2 * i].Start = _heads + (i * HeadCapacity);
            _messages[i].Message.Name = _names + (i * NativeAddress.MaxLength);
            _messages[i].Message.Control = _controls + (i * ControlMessage.MaxLength);
        }
    }

    /// <summary>Whether a head is short enough to be kept here.</summary>
    public static bool Fits(ReadOnlySpan<byte> head) => head.Length <= HeadCapacity;

    /// <summary>Adds a datagram whose body stays where it is until the flush; the peer is null for connected sockets.</summary>
    public void Add(LinuxDatagramSocket socket, DatagramPeer? to, ReadOnlySpan<byte> head, byte* body, int bodyLength)
    {
        if (socket != _socket || _count == Capacity) Flush();
        _socket = socket;
        int index = _count++;
        ref Message message = ref _messages[index].Message;
        byte* headStart = _heads + (index * HeadCapacity);
        head.CopyTo(new Span<byte>(headStart, HeadCapacity));
        _parts[2 * index].Length = head.Length;
        _parts[(2 * index) + 1] = new MemoryPart { Start = body, Length = bodyLength };
        message.Parts = head.IsEmpty ? &_parts[(2 * index) + 1] : &_parts[2 * index];
        message.PartCount = head.IsEmpty ? 1 : 2;
        (message.NameLength, message.ControlLength) = (0, 0);
        if (to is { } peer) socket.Address(ref message, peer);
    }

    /// <summary>Sends what there is.</summary>
    public void Flush()
    {
        if (_socket is not { } socket) return;
        (int count, _socket, _count) = (_count, null, 0);
        socket.SendAll(_messages, count, _train);
    }

    /// <summary>Sends first what the socket has here, so that order is kept.</summary>
    public void FlushOf(LinuxDatagramSocket socket)
    {
        if (_socket == socket) Flush();
    }
}
