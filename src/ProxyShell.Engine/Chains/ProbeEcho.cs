using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>Echoes of a relay hop that was asked as a probe.</summary>
internal static class ProbeEcho
{
    private const int Length = 8;

    /// <summary>The mean round trip of so many echoes, one after the other.</summary>
    public static async ValueTask<TimeSpan> MeasureAsync(DuplexConnection connection, int count, TimeProvider time, CancellationToken cancellationToken)
    {
        var buffer = new byte[Length];
        long start = time.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            await connection.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            for (int read = 0; read < Length;)
            {
                int received = await connection.ReadAsync(buffer.AsMemory(read), cancellationToken).ConfigureAwait(false);
                if (received == 0) throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Request, null, "closed instead of an echo");
                read += received;
            }
        }
        return time.GetElapsedTime(start) / count;
    }
}
