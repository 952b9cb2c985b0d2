namespace ProxyShell.Engine.Transport;

/// <summary>Where a connection may put what comes for a reader that waits, instead of waking it.</summary>
internal interface IOutlet
{
    /// <summary>
    /// Takes as many bytes as it can without waiting, and returns how many. The parts lie in one array, in their order. Called on the loop's thread,
    /// never at the same time as itself. It has no way to fail: who can take nothing any more lets the reader find out.
    /// </summary>
    int Take(ReadOnlySpan<ArraySegment<byte>> parts);
}
