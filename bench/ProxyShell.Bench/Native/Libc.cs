using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Native;

/// <summary>The system calls that the load needs and .NET does not offer, or offers at a higher price per call.</summary>
internal static unsafe partial class Libc
{
    internal const int AddressFamilyInternet = 2;
    internal const int StreamSocket = 1;
    internal const int DatagramSocket = 2;
    internal const int NonBlocking = 0x800;
    internal const int CloseOnExec = 0x80000;
    internal const int SocketLevel = 1;
    internal const int ReuseAddress = 2;
    internal const int ReceiveBuffer = 8;
    internal const int ReceiveTimeout = 20;
    internal const int InternetLevel = 0;
    internal const int BindAddressNoPort = 24;
    internal const int TcpLevel = 6;
    internal const int TcpCongestion = 13;
    internal const int ShutdownBoth = 2;
    internal const int SetStatusFlags = 4;

    internal const int MessageTruncate = 0x20;
    internal const int MessageDontWait = 0x40;
    internal const int MessageNoSignal = 0x4000;
    internal const int MessageWaitForOne = 0x10000;

    internal const int ErrorAgain = 11;
    internal const int ErrorInterrupted = 4;
    internal const int ErrorInProgress = 115;

    internal const int SetPipeSize = 1031;
    internal const int AdviseHugePages = 14;
    internal const int LimitOpenFiles = 7;
    internal const int ClockTicksPerSecond = 2;
    internal const int SignalInterrupt = 2;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSocketOption(int fd, int level, int option, void* value, int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int fd, InternetAddress* address, int length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int fd, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept(int fd, void* address, void* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int fd, InternetAddress* address, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int fd, void* data, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int fd, void* data, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    internal static partial int ReceiveMany(int fd, Message* messages, uint count, int flags, TimeValue* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    internal static partial int SendMany(int fd, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    internal static partial int Shutdown(int fd, int how);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int fd, byte* pollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int capacity, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    internal static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "vmsplice", SetLastError = true)]
    internal static partial nint MemoryToPipe(int pipe, MemoryRange* ranges, nint count, uint flags);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    internal static partial nint Splice(int from, void* fromOffset, int to, void* toOffset, nint length, uint flags);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int AdviseMemory(void* start, nint length, int advice);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetLimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    internal static partial int GetAffinity(int thread, nint length, ulong* words);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    internal static partial int SetAffinity(int thread, nint length, ulong* words);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    internal static partial nint SystemConfiguration(int name);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    internal static partial int Sleep(TimeValue* time, TimeValue* remaining);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    [StructLayout(LayoutKind.Sequential)]
    internal struct InternetAddress
    {
        internal ushort Family;
        internal ushort PortBigEndian;
        internal uint AddressBigEndian;
        internal ulong Padding;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MemoryRange
    {
        internal void* Start;
        internal nint Length;
    }

    /// <summary><c>mmsghdr</c>: one message of a batch, with the bytes that the call received or sent.</summary>
    /// <remarks>Its 32-bit fields are read together with the padding behind them, which works where the low half comes first.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Message
    {
        internal InternetAddress* Name;
        internal nint NameLength;
        internal MemoryRange* Ranges;
        internal nint RangeCount;
        internal void* Control;
        internal nint ControlLength;
        internal nint Flags;
        internal nint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ResourceLimit
    {
        internal ulong Soft;
        internal ulong Hard;
    }

    /// <summary><c>timespec</c>; also fits <c>timeval</c> when the second field is read as microseconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeValue
    {
        internal long Seconds;
        internal long Fraction;
    }
}
