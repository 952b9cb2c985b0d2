using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Load;

/// <summary>Pulls from a bulk source over a number of connections as fast as it can.</summary>
/// <remarks>
/// <c>MSG_TRUNC</c> makes the kernel drop the bytes instead of copying them out, so the sink costs system calls only.
/// One blocking thread per stream: with two processors this left more of them to the relays than one epoll thread did.
/// </remarks>
internal sealed unsafe class BulkSinkLoad(LoadTarget target, int streams) : ILoad
{
    private const int ChunkSize = 1024 * 1024;
    private const int CountersPerCacheLine = 16;

    private readonly List<Thread> _threads = [];
    private readonly int[] _sockets = new int[streams];
    private readonly long[] _received = new long[streams * CountersPerCacheLine];
    private volatile bool _stopping;
    private long _failures;

    public long Completed
    {
        get
        {
            long sum = 0;
            for (int stream = 0; stream < streams; stream++)
                sum += Volatile.Read(ref _received[stream * CountersPerCacheLine]);
            return sum;
        }
    }

    public long Failures => Interlocked.Read(ref _failures);

    public LatencyHistogram? Latency => null;

    public Exception? Fault => null;

    public void Start()
    {
        for (int i = 0; i < streams; i++)
        {
            int stream = i;
            Connect(stream);
            var thread = new Thread(() => Drain(stream), 256 * 1024) { IsBackground = true };
            _threads.Add(thread);
            thread.Start();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        for (int stream = 0; stream < _threads.Count; stream++)
            Libc.Shutdown(_sockets[stream], Libc.ShutdownBoth);
        foreach (Thread thread in _threads)
            thread.Join();
        for (int stream = 0; stream < _threads.Count; stream++)
            Libc.Close(_sockets[stream]);
    }

    private void Connect(int stream)
    {
        int socket = LoopbackSocket.Connect(target.Port);
        try
        {
            _received[stream * CountersPerCacheLine] = BlockingConversation.Run(socket, target.Handshake);
            _sockets[stream] = socket;
        }
        catch
        {
            Libc.Close(socket);
            throw;
        }
    }

    private void Drain(int stream)
    {
        byte* unused = (byte*)NativeMemory.Alloc(ChunkSize);
        ref long received = ref _received[stream * CountersPerCacheLine];
        nint count;
        while ((count = Libc.Receive(_sockets[stream], unused, ChunkSize, Libc.MessageTruncate)) > 0)
            Volatile.Write(ref received, received + count);
        if (!_stopping)
            Interlocked.Increment(ref _failures);
        NativeMemory.Free(unused);
    }
}
