using System.Threading.Channels;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Fixtures;

/// <summary>A connection whose bytes take a time each way, and as many as you like at once, as on a long link.</summary>
internal sealed class DelayedPair
{
    public DelayedPair(TimeSpan delay)
    {
        (Near, MemoryConnection nearInner) = MemoryConnection.Pair();
        (Far, MemoryConnection farInner) = MemoryConnection.Pair();
        _ = CarryAsync(nearInner, farInner, delay);
        _ = CarryAsync(farInner, nearInner, delay);
    }

    public MemoryConnection Near { get; }

    public MemoryConnection Far { get; }

    private static async Task CarryAsync(DuplexConnection source, DuplexConnection sink, TimeSpan delay)
    {
        var underWay = Channel.CreateUnbounded<(byte[] Bytes, long Due)>();
        Task arriving = ArriveAsync(underWay.Reader, sink);
        try
        {
            var buffer = new byte[64 * 1024];
            int count;
            while ((count = await source.ReadAsync(buffer, CancellationToken.None)) > 0)
                underWay.Writer.TryWrite((buffer[..count], Environment.TickCount64 + (long)delay.TotalMilliseconds));
        }
        catch (ProxyException)
        {
            // broken off: the other end sees its end
        }
        underWay.Writer.Complete();
        await arriving;
    }

    private static async Task ArriveAsync(ChannelReader<(byte[] Bytes, long Due)> underWay, DuplexConnection sink)
    {
        try
        {
            await foreach ((byte[] bytes, long due) in underWay.ReadAllAsync())
            {
                long left = due - Environment.TickCount64;
                if (left > 0) await Task.Delay(TimeSpan.FromMilliseconds(left));
                await sink.WriteAsync(bytes, CancellationToken.None);
            }
            await sink.CompleteWritesAsync(CancellationToken.None);
        }
        catch (ProxyException)
        {
            // nobody is there any more
        }
    }
}
