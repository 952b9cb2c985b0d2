using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Relaying;

/// <summary>The relay for any two connections: pooled buffers, and none while a direction waits (zero-byte reads).</summary>
internal sealed class BufferedRelay(DuplexConnection client, DuplexConnection upstream, Traffic traffic)
{
    private const int BufferLength = 64 * 1024;

    private ProxyException? _failure;

    public async ValueTask<ProxyException?> RunAsync()
    {
        Task up = CopyAsync(client, upstream, ProxySide.Client, ProxySide.Upstream);
        Task down = CopyAsync(upstream, client, ProxySide.Upstream, ProxySide.Client);
        await Task.WhenAll(up, down).ConfigureAwait(false);
        if (_failure is null)
        {
            await client.DisposeAsync().ConfigureAwait(false);
            await upstream.DisposeAsync().ConfigureAwait(false);
        }
        return _failure;
    }

    private async Task CopyAsync(DuplexConnection source, DuplexConnection sink, ProxySide sourceSide, ProxySide sinkSide)
    {
        ProxySide busy = sourceSide;
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                if (buffer is null) await source.ReadAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
                buffer ??= ArrayPool<byte>.Shared.Rent(BufferLength);
                int count = await source.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
                busy = sinkSide;
                if (count == 0)
                {
                    await sink.CompleteWritesAsync(CancellationToken.None).ConfigureAwait(false);
                    return;
                }
                await sink.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
                Count(sourceSide, count);
                busy = sourceSide;
                // a full buffer means that more is waiting; otherwise the buffer goes back until there is
                if (count < buffer.Length) Release(ref buffer);
            }
        }
        catch (Exception e)
        {
            // the first failure is the cause; the other direction then fails because of the abort
            Interlocked.CompareExchange(ref _failure, RelayFailure.On(busy, e), null);
            client.Abort();
            upstream.Abort();
        }
        finally
        {
            Release(ref buffer);
        }
    }

    private void Count(ProxySide source, int bytes)
    {
        if (source == ProxySide.Client) traffic.AddSent(bytes);
        else traffic.AddReceived(bytes);
    }

    private static void Release(ref byte[]? buffer)
    {
        if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}
