namespace ProxyShell.Engine.Transport.Linux;

/// <summary>The two ends of a pipe; owned by one relay direction or by the pool, never by both.</summary>
internal sealed class SplicePipe(int readEnd, int writeEnd, int length)
{
    /// <summary>How many bytes it may hold.</summary>
    public int Length => length;

    public int ReadEnd => readEnd;

    public int WriteEnd => writeEnd;

    public void Close()
    {
        _ = Libc.Close(readEnd);
        _ = Libc.Close(writeEnd);
    }
}
