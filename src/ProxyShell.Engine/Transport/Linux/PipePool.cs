namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Empty pipes of one loop, ready for splicing; idle connections hold none.</summary>
internal sealed unsafe class PipePool
{
    /// <summary>What is asked for per pipe; the kernel's default of 64 KiB does where that is refused.</summary>
    public const int PipeLength = 256 * 1024;

    private const int MaxIdle = 32;

    private readonly Stack<SplicePipe> _idle = new();

    /// <summary>An empty pipe, or null when the system gives none.</summary>
    public SplicePipe? Rent()
    {
        if (_idle.TryPop(out SplicePipe? pipe)) return pipe;
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.O_NONBLOCK_CLOEXEC) != 0) return null;
        // refused beyond fs.pipe-user-pages-soft: the pipe then keeps its default length
        _ = Libc.FileControl(ends[1], Libc.F_SETPIPE_SZ, PipeLength);
        return new SplicePipe(ends[0], ends[1]);
    }

    /// <summary>Takes a pipe back; one that still holds bytes is closed.</summary>
    public void Return(SplicePipe pipe, bool isEmpty)
    {
        if (isEmpty && _idle.Count < MaxIdle) _idle.Push(pipe);
        else pipe.Close();
    }
}
