using System.Buffers;

namespace ProxyShell.Engine.Relaying;

/// <summary>
/// The first datagrams of a flow while its path is being set up. Bounded for each flow, and for all of them together, since anybody
/// can begin a flow; what does not fit is lost.
/// </summary>
internal sealed class DatagramQueue
{
    private const int MaxCount = 32;
    private const int MaxBytes = 256 * 1024;
    private const long MaxBytesOfAll = 32 * 1024 * 1024;

    private static long s_bytesOfAll;

    private readonly Queue<(byte[] Buffer, int Length)> _datagrams = new();
    private int _bytes;

    /// <summary>Keeps a copy; false when there is no room.</summary>
    public bool TryAdd(ReadOnlySpan<byte> datagram)
    {
        if (_datagrams.Count == MaxCount || _bytes + datagram.Length > MaxBytes) return false;
        if (Interlocked.Add(ref s_bytesOfAll, datagram.Length) > MaxBytesOfAll)
        {
            Interlocked.Add(ref s_bytesOfAll, -datagram.Length);
            return false;
        }
        byte[] buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(buffer);
        _datagrams.Enqueue((buffer, datagram.Length));
        _bytes += datagram.Length;
        return true;
    }

    /// <summary>Sends everything along the path, or drops it when there is none; returns how many bytes and datagrams were sent.</summary>
    public void Empty(DatagramPath? path, Action<int> sent)
    {
        while (_datagrams.TryDequeue(out (byte[] Buffer, int Length) datagram))
        {
            if (path?.Send(datagram.Buffer.AsSpan(0, datagram.Length)) == true) sent(datagram.Length);
            ArrayPool<byte>.Shared.Return(datagram.Buffer);
        }
        Interlocked.Add(ref s_bytesOfAll, -_bytes);
        _bytes = 0;
    }
}
