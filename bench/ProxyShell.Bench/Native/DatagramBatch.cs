using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Native;

/// <summary>Room for some datagrams that one system call receives or sends.</summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    private const int ErrorRefused = 111; // what became of an earlier datagram; told once, then the call works

    private readonly byte* _data;
    private readonly Libc.Message* _messages;
    private readonly Libc.MemoryRange* _ranges;
    private readonly Libc.InternetAddress* _names;
    private readonly int _datagramSize;
    private readonly bool _named;

    /// <param name="capacity">Datagrams at most.</param>
    /// <param name="datagramSize">Bytes in each at most.</param>
    /// <param name="named">Whether senders are kept, so that answers find their way from a socket that is not connected.</param>
    internal DatagramBatch(int capacity, int datagramSize, bool named)
    {
        Capacity = capacity;
        _datagramSize = datagramSize;
        _named = named;
        _data = (byte*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)datagramSize);
        _messages = (Libc.Message*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Libc.Message));
        _ranges = (Libc.MemoryRange*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Libc.MemoryRange));
        _names = (Libc.InternetAddress*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Libc.InternetAddress));
        for (int i = 0; i < capacity; i++)
        {
            _ranges[i] = new Libc.MemoryRange { Start = _data + (i * datagramSize) };
            _messages[i] = new Libc.Message { Ranges = _ranges + i, RangeCount = 1, Name = named ? _names + i : null };
        }
    }

    internal int Capacity { get; }

    public void Dispose()
    {
        NativeMemory.Free(_data);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_ranges);
        NativeMemory.Free(_names);
    }

    /// <summary>Receives what is there, at least one datagram unless the flags say not to wait; returns how many.</summary>
    internal int Receive(int fd, int flags)
    {
        for (int i = 0; i < Capacity; i++)
        {
            _ranges[i].Length = _datagramSize;
            _messages[i].NameLength = _named ? sizeof(Libc.InternetAddress) : 0;
        }

        int count = Libc.ReceiveMany(fd, _messages, (uint)Capacity, flags, null);
        return Math.Max(count, 0);
    }

    /// <summary>The bytes of a datagram that came.</summary>
    internal Span<byte> Received(int index) => new(_data + (index * _datagramSize), (int)_messages[index].Length);

    /// <summary>A place of the batch to write a datagram of that size into.</summary>
    internal Span<byte> Prepare(int index, int size)
    {
        _ranges[index].Length = size;
        return new Span<byte>(_data + (index * _datagramSize), size);
    }

    /// <summary>Sends the first datagrams and returns how many the system took.</summary>
    internal int Send(int fd, int count)
    {
        int sent = 0;
        while (sent < count)
        {
            int taken = Libc.SendMany(fd, _messages + sent, (uint)(count - sent), 0);
            if (taken < 0 && Marshal.GetLastPInvokeError() is not (ErrorRefused or Libc.ErrorInterrupted))
                break;
            sent += Math.Max(taken, 0);
        }

        return sent;
    }
}
