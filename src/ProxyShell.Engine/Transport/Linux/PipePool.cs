namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// Empty pipes of one loop, ready for splicing; idle connections hold none. The first pipes of the process are made long, which
/// halves the cost per byte. For an ordinary user their number is bounded, because past fs.pipe-user-pages-soft (64 MiB for all
/// pipes of the user) the kernel gives pipes of two pages only.
/// </summary>
internal sealed unsafe class PipePool
{
    private const int LongLength = 1024 * 1024;
    private const int DefaultLength = 64 * 1024;
    private const int MaxIdle = 16;

    private static readonly int MaxLong = Environment.IsPrivilegedProcess ? 256 : 32;

    private static int s_long;

    private readonly Stack<SplicePipe> _idle = new();

    /// <summary>An empty pipe, or null when the system gives none.</summary>
    public SplicePipe? Rent()
    {
        if (_idle.TryPop(out SplicePipe? pipe)) return pipe;
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.O_NONBLOCK_CLOEXEC) != 0) return null;
        return new SplicePipe(ends[0], ends[1], TryLengthen(ends[1]) ? LongLength : DefaultLength);
    }

    /// <summary>Takes a pipe back; one that still holds bytes is closed.</summary>
    public void Return(SplicePipe pipe, bool isEmpty)
    {
        if (isEmpty && _idle.Count < MaxIdle)
        {
            _idle.Push(pipe);
            return;
        }
        if (pipe.Length == LongLength) Interlocked.Decrement(ref s_long);
        pipe.Close();
    }

    private static bool TryLengthen(int fd)
    {
        if (Interlocked.Increment(ref s_long) <= MaxLong && Libc.FileControl(fd, Libc.F_SETPIPE_SZ, LongLength) >= LongLength) return true;
        Interlocked.Decrement(ref s_long);
        return false;
    }
}
