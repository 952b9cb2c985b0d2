using System.Diagnostics;
using System.Globalization;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Bench.Sessions;

/// <summary>
/// Opens channels when it is told to, a line each: <c>cycle N</c> opens N at once, waits until all are accepted, closes them and waits until none
/// is left, and answers with the milliseconds that took; <c>exchange N</c> is the same with one byte there and back on each channel; <c>hold N</c>
/// opens N, exchanges a byte on each and keeps them, and answers with the bytes of its managed memory before and after.
/// </summary>
internal sealed class ChannelDriver(int carrier)
{
    private const int AtOnce = 500;
    private readonly List<SessionChannel> _held = [];

    internal async Task RunAsync(TextReader commands, TextWriter answers)
    {
        await using MultiplexedSession session = await SessionCarrier.ConnectAsync(carrier);
        while (await commands.ReadLineAsync() is { } line)
        {
            string[] words = line.Split(' ');
            int count = int.Parse(words[1], CultureInfo.InvariantCulture);
            await answers.WriteLineAsync(words[0] == "hold" ? await HoldAsync(session, count) : await CycleAsync(session, count, exchanges: words[0] == "exchange"));
        }
    }

    private static async Task<string> CycleAsync(MultiplexedSession session, int count, bool exchanges)
    {
        long started = Stopwatch.GetTimestamp();
        SessionChannel[] channels = await OpenAsync(session, count);
        if (exchanges)
            await Task.WhenAll(channels.Select(ExchangeAsync));
        await Task.WhenAll(channels.Select(CloseAsync));
        while (session.ChannelCount > 0)
            await Task.Yield(); // the last frames of the last channels are being written
        return string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.###}");
    }

    private async Task<string> HoldAsync(MultiplexedSession session, int count)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int missing = count; missing > 0; missing -= AtOnce)
        {
            SessionChannel[] channels = await OpenAsync(session, Math.Min(missing, AtOnce));
            await Task.WhenAll(channels.Select(ExchangeAsync));
            _held.AddRange(channels);
        }

        return $"{before} {GC.GetTotalMemory(forceFullCollection: true)}";
    }

    private static Task<SessionChannel[]> OpenAsync(MultiplexedSession session, int count) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => session.OfferAsync(FarSide.Echo, CancellationToken.None)));

    private static async Task ExchangeAsync(SessionChannel channel)
    {
        var one = new byte[1];
        await channel.WriteAsync(one, CancellationToken.None);
        if (await channel.ReadAsync(one, CancellationToken.None) != 1)
            throw new IOException("the channel ended instead of echoing");
    }

    private static async Task CloseAsync(SessionChannel channel)
    {
        await channel.CompleteWritesAsync(CancellationToken.None);
        if (await channel.ReadAsync(new byte[1], CancellationToken.None) != 0)
            throw new IOException("the channel said something instead of ending");
    }
}
