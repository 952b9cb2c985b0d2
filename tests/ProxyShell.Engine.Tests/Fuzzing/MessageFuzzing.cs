using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Striping;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Whatever comes as messages, at either end of a pipe, harms nobody.</summary>
public class MessageFuzzing
{
    private const int Attacks = 300;

    public static TheoryData<string, bool> Ends
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string sockets in Sockets.Kinds)
            {
                data.Add(sockets, false);
                data.Add(sockets, true);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Hostile_near_ends_leave_nothing_behind(string sockets, bool udp)
    {
        await using Origin origin = Origin.Echo();
        await using DatagramOrigin datagrams = DatagramOrigin.Echo();
        await using var house = new House(sockets);
        TimeSpan soon = TimeSpan.FromMilliseconds(400);
        var options = new StripedPipeExitOptions
        {
            Destination = udp ? datagrams.Endpoint : origin.Endpoint,
            Framing = StripedPipeFraming.Datagram,
            Udp = udp,
            Sockets = Sockets.Of(sockets),
            IdleTimeout = soon,
            UdpIdleTimeout = soon,
            EventCapacity = 5000,
        };
        StripedPipeExit far = await house.StartAsync(new StripedPipeExit(options));
        await AssertServesAsync(far);
        using (Aftermath aftermath = new(far))
        {
            await Attacker.AttackAsync(far.LocalPort, Attacks, seed: 61, Make);
            await aftermath.AssertCleanAsync(Attacks + 1);
        }
        await AssertServesAsync(far);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hostile_far_end_harms_only_its_own_streams(string sockets)
    {
        int next = 0;
        await using Origin peer = Origin.Of(async socket =>
        {
            byte[] bytes = Make(new Random(Interlocked.Increment(ref next)));
            await socket.ReceiveAsync(new byte[100]);
            await Origin.SendAllAsync(socket, bytes);
        });
        await using var house = new House(sockets);
        StripedPipeEntry near = await house.StartAsync(new StripedPipeEntry(new StripedPipeEntryOptions
        {
            Peer = TransportAddress.Tcp(peer.Endpoint),
            Framing = StripedPipeFraming.Datagram,
            Sockets = Sockets.Of(sockets),
            EventCapacity = 5000,
        }));
        using var aftermath = new Aftermath(near);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                try
                {
                    using Client client = await Client.ConnectAsync(near.LocalPort);
                    await client.SendAsync("hello");
                    client.EndSending();
                    await client.ReadToEndAsync();
                }
                catch (System.Net.Sockets.SocketException)
                {
                    // broken off, as it should be
                }
            }
        }))).Within(60);
        await aftermath.AssertCleanAsync(160);
        Assert.InRange(near.Counters.Failed, 1, 160);
        Assert.All(near.Events.ToList().Where(e => e.Kind == ProxyEventKind.Failed), e => Assert.Contains("side: ", e.Message, StringComparison.Ordinal));
    }

    // messages, some of them not quite
    private static byte[] Make(Random random)
    {
        if (random.Next(4) == 0) return Hostile.Make(random);
        using var bytes = new MemoryStream();
        var head = new byte[MessageFrame.MaxLengthBytes];
        for (int count = random.Next(1, 6); count > 0; count--)
        {
            byte[] message = RandomBytes.Of(random.Next(4) switch { 0 => 0, 1 => random.Next(200), _ => random.Next(9000) }, random.Next());
            bytes.Write(head, 0, MessageFrame.WriteLength(head, message.Length));
            bytes.Write(message);
        }
        byte[] all = bytes.ToArray();
        for (int flips = random.Next(4); flips > 0; flips--) all[random.Next(all.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(3) == 0 ? all[..random.Next(all.Length)] : all;
    }

    private static async Task AssertServesAsync(StripedPipeExit far)
    {
        using Client client = await Client.ConnectAsync(far.LocalPort);
        await client.SendAsync("\u0004good");
        Assert.Equal("\u0004good"u8.ToArray(), await client.ReadAsync(5));
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await House.QuietAsync(far);
    }
}
