namespace ProxyShell.Bench.Load;

/// <summary>What travels one way on a connection of a simulated link, in order; the sender waits while it is full.</summary>
internal sealed class LinkFlight(long room)
{
    private readonly Queue<Chunk> _chunks = [];
    private long _bytes;
    private bool _closed;

    /// <summary>Bytes with the time at which the link had taken the last of them; no bytes are the end of the stream.</summary>
    internal readonly record struct Chunk(byte[] Buffer, int Count, long Arrived);

    /// <returns>False when the connection has ended.</returns>
    internal bool TryAdd(Chunk chunk)
    {
        lock (_chunks)
        {
            while (!_closed && _bytes > 0 && _bytes + chunk.Count > room)
                Monitor.Wait(_chunks);
            _bytes += chunk.Count;
            _chunks.Enqueue(chunk);
            Monitor.PulseAll(_chunks);
            return !_closed;
        }
    }

    /// <summary>The oldest chunk; it keeps its room until it is <see cref="Delivered"/>.</summary>
    /// <returns>False when the connection has ended.</returns>
    internal bool TryTake(out Chunk chunk)
    {
        lock (_chunks)
        {
            while (!_closed && _chunks.Count == 0)
                Monitor.Wait(_chunks);
            chunk = _closed ? default : _chunks.Dequeue();
            return !_closed;
        }
    }

    internal void Delivered(Chunk chunk)
    {
        lock (_chunks)
        {
            _bytes -= chunk.Count;
            Monitor.PulseAll(_chunks);
        }
    }

    internal void Close()
    {
        lock (_chunks)
        {
            _closed = true;
            Monitor.PulseAll(_chunks);
        }
    }
}
