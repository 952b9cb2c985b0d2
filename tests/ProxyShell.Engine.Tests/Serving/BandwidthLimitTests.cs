using System.Net;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Serving;

namespace ProxyShell.Engine.Tests.Serving;

/// <summary>Bandwidth limits of a service, on a clock that stands still until told: what may not pass yet never does.</summary>
public class BandwidthLimitTests
{
    private const int Rate = 100_000;

    // a bucket begins with 20 ms' worth, and a tick is 20 ms
    private const int Tick = Rate / 50;

    // less than this is not worth a turn, so it waits for more
    private const int Worth = Rate / 1000;

    private static readonly IPAddress Neighbour = IPAddress.Parse("127.0.0.2");

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bytes_pass_no_faster_than_the_limit(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { BandwidthLimit = Rate, TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        byte[] sent = RandomBytes.Of(41 * Tick);
        Task sending = client.SendAsync(sent);
        Task<byte[]> answer = client.ReadAsync(sent.Length);

        for (int tick = 1; tick <= 40; tick++)
        {
            await Deadline.Until(() => Math.Min(listener.Counters.BytesSent, listener.Counters.BytesReceived) > (tick * Tick) - Worth, $"{tick} turns are over");
            Assert.InRange(Math.Max(listener.Counters.BytesSent, listener.Counters.BytesReceived), 0, tick * Tick);
            time.Advance(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(sent, await InTimeAsync(time, answer));
        await sending;
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Connections_share_the_limit_and_all_get_turns(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Of(async socket =>
        {
            while (true) await socket.SendAsync(new byte[100_000]);
        });
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { BandwidthLimit = Rate, TimeProvider = time });
        const int Count = 5;
        Client[] clients = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => Client.ConnectAsync(listener.LocalPort)));

        for (int tick = 1; tick <= 100; tick++)
        {
            // what one gives back while others stand in line is given to them at the next tick
            await Deadline.Until(() => listener.Counters.BytesReceived > (tick - 2) * Tick, $"{tick} turns are over: {listener.Counters.BytesReceived}");
            Assert.InRange(listener.Counters.BytesReceived, 0, tick * Tick);
            time.Advance(TimeSpan.FromMilliseconds(20));
        }

        long[] each = [.. listener.GetConnections().Select(c => c.BytesReceived)];
        Assert.Equal(Count, each.Length);
        // how evenly is said by BandwidthTests: here the clock runs ahead of relays that have work to do
        Assert.All(each, bytes => Assert.InRange(bytes, 10 * Tick / Count, 100 * Tick));
        foreach (Client client in clients) client.Dispose();
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_client_has_a_rate_of_its_own(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { ClientBandwidthLimit = Rate, TimeProvider = time });
        using Client first = await Client.ConnectAsync(listener.LocalPort), second = await Client.ConnectAsync(listener.LocalPort);
        using Client other = await Client.ConnectAsync(listener.LocalPort, from: Neighbour);

        await first.SendAsync(new byte[Tick]);
        await first.ReadAsync(Tick);
        await second.SendAsync(new byte[Tick]);
        await other.SendAsync(new byte[Tick]);
        await other.ReadAsync(Tick);

        await Deadline.Until(() => listener.Counters.BytesSent == 2 * Tick, "one turn of each client is counted");
        await InTimeAsync(time, second.ReadAsync(Tick));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task An_end_is_passed_on_without_waiting_for_bytes_that_are_not_there(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { BandwidthLimit = Rate, TimeProvider = time });
        for (int round = 0; round < 5; round++)
        {
            using Client client = await Client.ConnectAsync(listener.LocalPort);
            await client.SendAsync(new byte[Tick / 10]);
            client.EndSending();
            Assert.Equal(Tick / 10, (await client.ReadToEndAsync()).Length);
        }
        await House.QuietAsync(listener);
        Assert.Equal(0, listener.Counters.Failed);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Connections_that_wait_for_their_turn_can_be_ended(string sockets)
    {
        var time = new ManualTime();
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { BandwidthLimit = Rate, TimeProvider = time });
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync(new byte[10 * Tick]);
        await Deadline.Until(() => listener.Counters.BytesReceived > Tick - Worth, "it waits for its turn");

        Assert.Single(listener.GetConnections()).Abort();

        await House.QuietAsync(listener);
        Assert.Equal(ProxyErrorReason.Aborted, (await House.EventAsync(listener, ProxyEventKind.Failed)).Reason);
        using Client next = await Client.ConnectAsync(listener.LocalPort);
        await next.SendAsync("x");
        Assert.Equal("x"u8.ToArray(), await InTimeAsync(time, next.ReadAsync(1)));
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Datagrams_beyond_the_limit_are_lost(string sockets)
    {
        var time = new ManualTime();
        await using DatagramOrigin origin = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with { Udp = true, BandwidthLimit = Rate, TimeProvider = time });
        using var client = new DatagramClient(listener.LocalPort);
        await client.AssertEchoAsync(RandomBytes.Of(Tick / 2));
        for (int i = 0; i < 50; i++) client.Send(RandomBytes.Of(Tick / 2));
        await client.ReceiveAsync();

        byte[] late = RandomBytes.Of(Tick / 4);
        int ticks = 1;
        await Deadline.Until(
            () =>
            {
                ticks++;
                time.Advance(TimeSpan.FromMilliseconds(20));
                client.Send(late);
                return client.Socket.Available > 0;
            },
            "there is room again");

        // the last one may have been overdrawn
        Assert.InRange(listener.Counters.BytesSent, Tick + 1, (ticks * Tick) + (Tick / 2));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(999)]
    [InlineData(1_000_000_000_001)]
    public void A_rate_out_of_range_is_named(long rate)
    {
        static string Fault(AccessListenerOptions options) => Assert.Throws<FormatException>(() => new AccessListener(options)).Message;
        var options = new AccessListenerOptions { Destination = new HostEndpoint("a", 1) };
        Assert.Equal($"BandwidthLimit is '{rate}'; it must be 0 (no limit) or 1000 to 1000000000000 bytes per second.", Fault(options with { BandwidthLimit = rate }));
        Assert.Equal($"ClientBandwidthLimit is '{rate}'; it must be 0 (no limit) or 1000 to 1000000000000 bytes per second.", Fault(options with { ClientBandwidthLimit = rate }));
    }

    // however many ticks it takes
    private static async Task<byte[]> InTimeAsync(ManualTime time, Task<byte[]> reading)
    {
        await Deadline.Until(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(20));
                return reading.IsCompleted;
            },
            "the bytes have come");
        return await reading;
    }
}
