using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Native;

/// <summary>One level-triggered epoll set; each descriptor carries an integer token of its owner's choice.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    internal const uint Readable = 0x1;
    internal const uint Writable = 0x4;

    private const int Add = 1;
    private const int Remove = 2;
    private const int Change = 3;
    private const int Capacity = 256;

    // struct epoll_event is packed on x86-64 only (see epoll_ctl(2) and the kernel's EPOLL_PACKED)
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventSize = Packed ? 12 : 16;
    private static readonly int TokenOffset = Packed ? 4 : 8;

    private readonly int _fd;
    private readonly byte* _events;

    internal Epoll()
    {
        _fd = NativeError.ThrowIfFailed(Libc.EpollCreate(Libc.CloseOnExec), "epoll_create1");
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(Capacity * EventSize));
    }

    internal void Watch(int fd, int token, uint interest) => Control(Add, fd, token, interest);

    internal void Rewatch(int fd, int token, uint interest) => Control(Change, fd, token, interest);

    internal void Unwatch(int fd) => Control(Remove, fd, 0, 0);

    /// <summary>Waits and returns the number of events; an interrupted wait counts as none.</summary>
    internal int Wait(int timeoutMilliseconds)
    {
        int count = Libc.EpollWait(_fd, _events, Capacity, timeoutMilliseconds);
        return count < 0 && Marshal.GetLastPInvokeError() == Libc.ErrorInterrupted
            ? 0
            : NativeError.ThrowIfFailed(count, "epoll_wait");
    }

    internal int TokenAt(int index) => *(int*)(_events + (index * EventSize) + TokenOffset);

    public void Dispose()
    {
        Libc.Close(_fd);
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int fd, int token, uint interest)
    {
        byte* pollEvent = stackalloc byte[16];
        *(uint*)pollEvent = interest;
        *(long*)(pollEvent + TokenOffset) = token;
        NativeError.ThrowIfFailed(Libc.EpollControl(_fd, operation, fd, pollEvent), "epoll_ctl");
    }
}
