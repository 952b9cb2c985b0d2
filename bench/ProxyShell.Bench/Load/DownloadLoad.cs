using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;
using ProxyShell.Bench.Origins;

namespace ProxyShell.Bench.Load;

/// <summary>Downloads the web server's large file again and again, over one connection for each stream, and drops what comes.</summary>
internal sealed unsafe class DownloadLoad(LoadTarget target, int streams, string host) : ILoad
{
    private const int ChunkSize = 1024 * 1024;

    private readonly List<Thread> _threads = [];
    private readonly int[] _sockets = new int[streams];
    private readonly Exchange _request = new(HttpAnswer.Get(host, WebServer.LargePath), HttpAnswer.HeadLength);
    private volatile bool _stopping;
    private long _received;
    private long _failures;

    public long Completed => Interlocked.Read(ref _received);

    public long Failures => Interlocked.Read(ref _failures);

    public LatencyHistogram? Latency => null;

    public Exception? Fault { get; private set; }

    public void Start()
    {
        for (int i = 0; i < streams; i++)
        {
            int stream = i;
            _sockets[stream] = LoopbackSocket.Connect(target.Port);
            var thread = new Thread(() => Run(_sockets[stream]), 256 * 1024) { IsBackground = true };
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

    private void Run(int socket)
    {
        byte* unused = (byte*)NativeMemory.Alloc(ChunkSize);
        try
        {
            while (!_stopping)
                Download(socket, unused);
        }
        catch (IOException failure)
        {
            if (!_stopping)
            {
                Interlocked.Increment(ref _failures);
                Fault = failure;
            }
        }

        NativeMemory.Free(unused);
    }

    private void Download(int socket, byte* unused)
    {
        long missing = WebServer.LargeSize - BlockingConversation.Run(socket, [_request]);
        while (missing > 0)
        {
            nint count = Libc.Receive(socket, unused, (nint)Math.Min(missing, ChunkSize), Libc.MessageTruncate);
            if (count <= 0)
                throw new IOException("the download ended early");
            missing -= count;
            Interlocked.Add(ref _received, count);
        }
    }
}
