using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// One thread that waits for readiness (edge-triggered) and runs the handlers. Whatever a handler does must not block: relays
/// and accepts run here, everything else is continued on the pool. Loops live as long as the process and sleep when idle.
/// </summary>
internal sealed unsafe class EpollLoop
{
    private const int BatchSize = 256;
    private const ulong WakeToken = ulong.MaxValue;

    // struct epoll_event is packed on x86-64 only
    private static readonly int ItemSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int TokenOffset = ItemSize - 8;

    [ThreadStatic]
    private static EpollLoop? t_current;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly EpollTable _table = new();
    private readonly ConcurrentQueue<ILoopWork> _work = new();
    private DatagramBuffers? _datagrams;
    private int _asleep;
    private int _load;

    public EpollLoop(int number)
    {
        _epoll = Check(Libc.EpollCreate(Libc.EPOLL_CLOEXEC));
        _wake = Check(Libc.EventFd(0, Libc.O_NONBLOCK_CLOEXEC));
        byte* item = stackalloc byte[ItemSize];
        WriteItem(item, Libc.EPOLLIN | Libc.EPOLLET, WakeToken);
        Check(Libc.EpollControl(_epoll, Libc.EPOLL_CTL_ADD, _wake, item));
        new Thread(Run) { IsBackground = true, Name = $"ProxyShell loop {number}" }.Start();
    }

    /// <summary>Connections that live on this loop; used to spread new ones.</summary>
    public int Load => Volatile.Read(ref _load);

    public bool IsCurrent => t_current == this;

    /// <summary>The loop whose thread this is, or null.</summary>
    public static EpollLoop? Current => t_current;

    /// <summary>Memory for copying between sockets, for use on the loop's thread only, within one call.</summary>
    public byte* Scratch { get; } = (byte*)NativeMemory.AlignedAlloc(ScratchLength, 4096);

    public const int ScratchLength = 32 * 1024;

    /// <summary>Idle pipes for splicing, for use on the loop's thread only.</summary>
    public PipePool Pipes { get; } = new();

    /// <summary>Memory for datagrams on their way through, for use on the loop's thread only.</summary>
    public DatagramBuffers Datagrams => _datagrams ??= new DatagramBuffers();

    public void AddLoad(int change) => Interlocked.Add(ref _load, change);

    /// <summary>Runs the work on the loop's thread, soon.</summary>
    public void Post(ILoopWork work)
    {
        _work.Enqueue(work);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _asleep) == 0 || Interlocked.Exchange(ref _asleep, 0) == 0) return;
        ulong one = 1;
        // a full counter still wakes the loop
        _ = Libc.Write(_wake, &one, sizeof(ulong));
    }

    /// <summary>Starts telling the handler about the descriptor; if it is ready already, it is told at once.</summary>
    public ulong Add(SocketDescriptor socket, uint events, IEpollHandler handler)
    {
        ulong token = _table.Add(handler);
        byte* item = stackalloc byte[ItemSize];
        WriteItem(item, events, token);
        if (Libc.EpollControl(_epoll, Libc.EPOLL_CTL_ADD, socket, item) == 0) return token;
        int errno = Libc.LastError;
        _table.Remove(token);
        throw Errno.Exception(errno);
    }

    /// <summary>Stops telling about a descriptor that stays open.</summary>
    public void Remove(SocketDescriptor socket, ulong token)
    {
        _table.Remove(token);
        byte* item = stackalloc byte[ItemSize];
        // fails only when the descriptor was never added or is closed, which is what is wanted
        _ = Libc.EpollControl(_epoll, Libc.EPOLL_CTL_DEL, socket, item);
    }

    /// <summary>Forgets a descriptor that is being closed; the kernel takes it out of the set by itself.</summary>
    public void Forget(ulong token) => _table.Remove(token);

    private void Run()
    {
        t_current = this;
        byte* items = (byte*)NativeMemory.Alloc((nuint)(BatchSize * ItemSize));
        var tokens = new ulong[BatchSize];
        var handlers = new IEpollHandler?[BatchSize];
        while (true)
        {
            int count = Libc.EpollWait(_epoll, items, BatchSize, PrepareToSleep());
            Volatile.Write(ref _asleep, 0);
            for (int i = 0; i < count; i++) tokens[i] = *(ulong*)(items + (i * ItemSize) + TokenOffset);
            if (count > 0) _table.Resolve(tokens.AsSpan(0, count), handlers);
            for (int i = 0; i < count; i++)
            {
                if (tokens[i] == WakeToken) DrainWake();
                else if (handlers[i] is { } handler) Tell(handler, *(uint*)(items + (i * ItemSize)));
            }
            handlers.AsSpan(0, Math.Max(count, 0)).Clear();
            RunWork();
            _datagrams?.Flush();
        }
    }

    // The flag goes up before the queue is looked at, and Post enqueues before it looks at the flag: one of them sees the other.
    private int PrepareToSleep()
    {
        Volatile.Write(ref _asleep, 1);
        Interlocked.MemoryBarrier();
        if (_work.IsEmpty) return -1;
        Volatile.Write(ref _asleep, 0);
        return 0;
    }

    // work that posts more work runs again after the next look at the descriptors, so neither starves the other
    private void RunWork()
    {
        for (int left = _work.Count; left > 0 && _work.TryDequeue(out ILoopWork? work); left--) Do(work);
    }

    private void Tell(IEpollHandler handler, uint events)
    {
        try
        {
            handler.OnReady(this, events);
        }
        catch (Exception e)
        {
            handler.OnFault(e);
        }
    }

    private void Do(ILoopWork work)
    {
        try
        {
            work.Run(this);
        }
        catch (Exception e)
        {
            work.OnFault(e);
        }
    }

    private void DrainWake()
    {
        ulong value;
        _ = Libc.Read(_wake, &value, sizeof(ulong));
    }

    private static void WriteItem(byte* item, uint events, ulong token)
    {
        *(uint*)item = events;
        *(ulong*)(item + TokenOffset) = token;
    }

    private static int Check(int result) => result >= 0 ? result : throw new SocketException(Libc.LastError);
}
