using System.Buffers;
using System.Globalization;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Relaying;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Bench.Sessions;

/// <summary>Accepts channels: one named by a port leads to that port of this machine, the others come back as they are.</summary>
internal sealed class FarSide(int carrier)
{
    /// <summary>The name of channels that come back.</summary>
    internal const string Echo = "echo";

    private const int EchoBuffer = 256; // what thousands of echoes leave at once must not count as the channels' memory

    internal async Task RunAsync()
    {
        SessionCarrier.Listen(carrier, ServeAsync);
        await Task.Delay(Timeout.Infinite);
    }

    private static async Task ServeAsync(DuplexConnection connection)
    {
        try
        {
            MultiplexedSession session = await MultiplexedSession.StartAsync(connection, SessionCarrier.Options, CancellationToken.None);
            while (true)
                _ = ServeAsync(await session.NextOfferAsync(CancellationToken.None));
        }
        catch (ProxyException)
        {
            // the session is over
        }
    }

    private static async Task ServeAsync(ChannelOffer offer)
    {
        try
        {
            SessionChannel channel = offer.Accept();
            if (int.TryParse(offer.Name, CultureInfo.InvariantCulture, out int destination))
                await Relay.RunAsync(channel, await SessionCarrier.DialAsync(destination), new Traffic());
            else
                await EchoAsync(channel);
        }
        catch (ProxyException)
        {
            // the channel was given up, or there is no such destination
        }
    }

    private static async Task EchoAsync(SessionChannel channel)
    {
        while (true)
        {
            await channel.ReadAsync(Memory<byte>.Empty, CancellationToken.None); // no buffer while there is nothing to echo
            byte[] buffer = ArrayPool<byte>.Shared.Rent(EchoBuffer);
            int count = await channel.ReadAsync(buffer, CancellationToken.None);
            await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
            ArrayPool<byte>.Shared.Return(buffer);
            if (count == 0)
                break;
        }

        await channel.DisposeAsync();
    }
}
