using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// Ends a connection so that its last words arrive: closing with unread bytes would send a reset, which can destroy them on the
/// way. So: end our direction, read and drop what still comes, until the peer ends or is silent, for a bounded time. A body of an HTTP
/// request may still be on its way, and its sender reads the answer after it: how much comes does not matter.
/// </summary>
internal static class LingeringClose
{
    private const int MaxLingering = 512;

    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(30);

    private static int s_lingering;

    /// <summary>
    /// Lingers; when too many connections do already, closes at once. Last words that depend on the peer's first byte are still sent.
    /// </summary>
    public static async ValueTask RunAsync(DuplexConnection connection, TimeProvider time, Func<byte, ReadOnlyMemory<byte>>? lastWords = null)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            if (Interlocked.Increment(ref s_lingering) > MaxLingering) return;
            using var limit = new CancellationTokenSource(MaxSilence, time);
            if (lastWords is not null && await connection.ReadAsync(buffer, limit.Token).ConfigureAwait(false) > 0)
                await connection.WriteAsync(lastWords(buffer[0]), limit.Token).ConfigureAwait(false);
            await connection.CompleteWritesAsync(limit.Token).ConfigureAwait(false);
            for (long start = time.GetTimestamp(); time.GetElapsedTime(start) < MaxTime; limit.CancelAfter(MaxSilence))
            {
                if (await connection.ReadAsync(buffer, limit.Token).ConfigureAwait(false) == 0) return;
            }
        }
        catch (Exception e) when (e is ProxyException or OperationCanceledException)
        {
            // the peer is gone or still talking: either way it had its chance
        }
        finally
        {
            Interlocked.Decrement(ref s_lingering);
            ArrayPool<byte>.Shared.Return(buffer);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
