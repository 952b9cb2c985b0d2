using System.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Random lives of channels, many at once, from both sides: nothing leaks, nothing hangs, all checksums are right.</summary>
public class SessionSoakTests
{
    private const int Lives = 4000;
    private const int ManyChannels = 1000;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    public static TheoryData<MultiplexingVersion, string> Runs
    {
        get
        {
            var data = new TheoryData<MultiplexingVersion, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                data.Add(MultiplexingVersion.V2, sockets);
                data.Add(MultiplexingVersion.V3, sockets);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public Task Thousands_of_random_lives(MultiplexingVersion version, string sockets) => SoakAsync(version, sockets, 500, number => number <= Lives);

    /// <summary>Ten minutes of it are a task of the bench.</summary>
    [Fact]
    public Task A_thousand_channels_at_once_for_half_a_minute()
    {
        long begun = Stopwatch.GetTimestamp();
        return SoakAsync(MultiplexingVersion.V3, Sockets.Kinds.First(), ManyChannels, _ => Stopwatch.GetElapsedTime(begun) < Long);
    }

    private static async Task SoakAsync(MultiplexingVersion version, string sockets, int channels, Func<int, bool> goesOn)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions { Version = version, Window = 30_000, MaxChannels = 3000, MaxPendingOffers = 3000 });
        var soak = new SessionSoak(pair.Near, pair.Far);
        Task nearServes = soak.ServeAsync(pair.Near), farServes = soak.ServeAsync(pair.Far);
        await soak.RunAsync(channels, goesOn).Within(180);
        Assert.Equal((0, 0), (pair.Near.Windows, pair.Far.Windows));
        Assert.Equal(soak.Lives, pair.Near.OfferedCount + pair.Far.OfferedCount);
        await Deadline.Until(() => soak.Leaked == 0, "no closed channel is in memory");
        await pair.Near.DisposeAsync();
        await pair.Far.DisposeAsync();
        await Task.WhenAll(nearServes, farServes).Within();
    }
}
