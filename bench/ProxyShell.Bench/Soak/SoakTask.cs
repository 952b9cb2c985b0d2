using System.Diagnostics;
using System.Globalization;
using System.Net;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Sessions;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Bench.Soak;

/// <summary>
/// Random lives of channels for a long time, over one session between two ends of this process: <c>soak [MINUTES [CHANNELS]]</c>. It fails when a
/// byte is wrong, a channel hangs, or channels, windows or memory do not come back to what they were.
/// </summary>
internal static class SoakTask
{
    internal const string Name = "soak";

    private const double Minutes = 10;
    private const int Channels = 1000;

    // what the shared pools of buffers may hold more at one time than at another
    private const long Slack = 16 * 1024 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        double minutes = arguments.Length > 0 ? double.Parse(arguments[0], CultureInfo.InvariantCulture) : Minutes;
        int channels = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : Channels;
        (MultiplexedSession near, MultiplexedSession far) = await ConnectAsync(channels);
        var soak = new SessionSoak(near, far);
        _ = soak.ServeAsync(near);
        _ = soak.ServeAsync(far);
        try
        {
            // what a first part left behind is what the whole may leave
            TimeSpan whole = TimeSpan.FromMinutes(minutes);
            await RunAsync(soak, near, channels, whole / 10);
            long before = GC.GetTotalMemory(forceFullCollection: true);
            await RunAsync(soak, near, channels, whole - (whole / 10));
            return Conclude(soak, near, far, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        catch (Exception failure)
        {
            Console.Error.WriteLine($"failed after {soak.Lives:#,0} lives: {failure}");
            return 1;
        }
    }

    private static async Task<(MultiplexedSession Near, MultiplexedSession Far)> ConnectAsync(int channels)
    {
        // lives of both sides, and those whose end is under way
        var options = new SessionOptions { MaxChannels = 4 * channels, MaxPendingOffers = 4 * channels };
        ConnectionListener listener = SocketTransport.Default.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var accepted = new TaskCompletionSource<DuplexConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.Start(connection => accepted.TrySetResult(connection), trouble => accepted.TrySetException(trouble));
        DuplexConnection dialled = await SocketTransport.Default.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        return (await MultiplexedSession.StartAsync(dialled, options, CancellationToken.None), await MultiplexedSession.StartAsync(await accepted.Task, options, CancellationToken.None));
    }

    private static async Task RunAsync(SessionSoak soak, MultiplexedSession session, int channels, TimeSpan time)
    {
        long begun = Stopwatch.GetTimestamp();
        Task run = soak.RunAsync(channels, _ => Stopwatch.GetElapsedTime(begun) < time);
        while (await Task.WhenAny(run, Task.Delay(Pause)) != run)
            Console.WriteLine($"{session.Age:mm\\:ss}  {Describe(soak)}, {session.ChannelCount:#,0} channels open, {GC.GetTotalMemory(false) >> 20} MiB managed");
        await run;
    }

    private static int Conclude(SessionSoak soak, MultiplexedSession near, MultiplexedSession far, long growth)
    {
        string[] faults =
        [
            .. Fault(near.ChannelCount + far.ChannelCount != 0, $"{near.ChannelCount + far.ChannelCount} channels are left"),
            .. Fault(near.Windows + far.Windows != 0, $"{near.Windows + far.Windows} bytes of windows are left"),
            .. Fault(soak.Leaked != 0, $"{soak.Leaked} of a sample of closed channels are still in memory"),
            .. Fault(growth > Slack, $"managed memory grew by {growth >> 10} KiB"),
        ];
        Console.WriteLine($"{Describe(soak)}; managed memory changed by {growth >> 10} KiB: {(faults.Length == 0 ? "all is well" : string.Join("; ", faults))}");
        return faults.Length == 0 ? 0 : 1;
    }

    private static string Describe(SessionSoak soak) => string.Create(CultureInfo.InvariantCulture, $"{soak.Lives:#,0} lives, {soak.Bytes / 1_000_000:#,0} MB with right checksums");

    private static string[] Fault(bool isThere, string what) => isThere ? [what] : [];
}
