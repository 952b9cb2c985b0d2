using System.Runtime.InteropServices;
using ProxyShell.Bench.Native;

namespace ProxyShell.Bench.Origins;

/// <summary>How the source hands its bytes to the kernel.</summary>
internal enum SourceMode
{
    /// <summary><c>vmsplice</c> + <c>splice</c>: the pages themselves travel, no copy on the sender's side.</summary>
    Splice,

    /// <summary>The same without pacing, whatever congestion control the system prefers: BBR would hold the sender to what it last saw taken.</summary>
    SpliceUnpaced,

    /// <summary><c>send</c> from a buffer: one copy, as most programs do.</summary>
    Send,
}

/// <summary>Sends to every connection without end.</summary>
/// <remarks>
/// Source, relay and sink share the processors, so what the source spends the relay cannot use. Spliced pages of one
/// huge page cost about half of a copying send, which keeps the relay the slowest part, most of all with many streams.
/// A blocking thread per stream needs no readiness calls: one system call per buffer.
/// </remarks>
internal sealed unsafe class BulkSource
{
    private const int HugePage = 2 * 1024 * 1024;
    private const int PipeSize = 1024 * 1024;
    private const int SpliceChunk = 256 * 1024; // small enough to stay in a core's own cache
    private const int SendChunk = 64 * 1024;
    private const uint MoreFollows = 4;

    private readonly SourceMode _mode;
    private readonly byte* _data;

    internal BulkSource(SourceMode mode)
    {
        _mode = mode;
        _data = (byte*)NativeMemory.AlignedAlloc(HugePage, HugePage);
        Libc.AdviseMemory(_data, HugePage, Libc.AdviseHugePages);
        NativeMemory.Fill(_data, HugePage, (byte)'x');
    }

    internal void Serve(int listener)
    {
        while (true)
        {
            int connection = NativeError.ThrowIfFailed(Libc.Accept(listener, null, null, Libc.CloseOnExec), "accept4");
            new Thread(() => Feed(connection), 256 * 1024) { IsBackground = true }.Start();
        }
    }

    private void Feed(int connection)
    {
        if (_mode == SourceMode.SpliceUnpaced)
            LoopbackSocket.Unpace(connection);
        if (_mode == SourceMode.Send)
            FeedBySend(connection);
        else
            FeedBySplice(connection);
        Libc.Close(connection);
    }

    private void FeedBySend(int connection)
    {
        while (Libc.Send(connection, _data, SendChunk, Libc.MessageNoSignal) > 0)
        {
        }
    }

    private void FeedBySplice(int connection)
    {
        int* pipe = stackalloc int[2];
        NativeError.ThrowIfFailed(Libc.Pipe(pipe, Libc.CloseOnExec), "pipe2");
        Libc.FileControl(pipe[1], Libc.SetPipeSize, PipeSize);
        var range = new Libc.MemoryRange { Start = _data, Length = SpliceChunk };
        bool open = true;
        while (open)
        {
            nint queued = Libc.MemoryToPipe(pipe[1], &range, 1, 0);
            open = queued > 0;
            while (open && queued > 0)
            {
                nint sent = Libc.Splice(pipe[0], null, connection, null, queued, MoreFollows);
                open = sent > 0;
                queued -= sent;
            }
        }

        Libc.Close(pipe[0]);
        Libc.Close(pipe[1]);
    }
}
