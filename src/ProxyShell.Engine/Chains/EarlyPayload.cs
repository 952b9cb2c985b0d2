using System.Buffers;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Chains;

/// <summary>
/// Sends what the client says while its chain is still being set up right behind the headers, which saves a round trip through the
/// whole chain. A bounded amount: sockets' buffers hold it, so that writing never waits for a hop that is not connected yet.
/// </summary>
internal sealed class EarlyPayload(DuplexConnection client, Traffic traffic, Bandwidth bandwidth)
{
    private const int MaxBytes = 16 * 1024;

    /// <summary>Runs until stopped; nothing is taken from the client that is not sent on.</summary>
    public async Task SendAsync(DuplexConnection chain, CancellationToken stop)
    {
        byte[]? buffer = null;
        try
        {
            for (int left = MaxBytes; left > 0;)
            {
                await client.ReadAsync(Memory<byte>.Empty, stop).ConfigureAwait(false);
                buffer ??= ArrayPool<byte>.Shared.Rent(MaxBytes);
                // the wait may have ended for nothing; a read that is given up takes nothing, and what was read is written to the end
                int count = await client.ReadAsync(buffer.AsMemory(0, left), stop).ConfigureAwait(false);
                if (count == 0) return;
                await chain.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None).ConfigureAwait(false);
                traffic.AddSent(count);
                // so little does not wait for its turn; what comes later does
                bandwidth.Charge(count, TrafficDirection.Sent);
                left -= count;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ProxyException)
        {
            // stopped, or a side broke: then the hops' answers or the relay tell what happened
        }
        finally
        {
            if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
