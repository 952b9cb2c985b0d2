using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>An access listener carries any bytes: to a destination, or into a hop that makes nothing of them.</summary>
public class AccessListenerFuzzing
{
    private const int Attacks = 300;

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Rude_clients_leave_nothing_behind(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        (ProxyChain chain, ProxyServer[] servers) = await house.ChainAsync(1, o => o with { EventCapacity = 5000 });
        AccessListener listener = await house.ListenAsync(origin.Endpoint, chain, o => o with { IdleTimeout = TimeSpan.FromMilliseconds(500), EventCapacity = 5000 });
        await AssertServesAsync(listener);
        using (Aftermath near = new(listener), far = new(servers[0]))
        {
            await Attacker.AttackAsync(listener.LocalPort, Attacks, seed: 41);
            await near.AssertCleanAsync(Attacks + 1);
            await House.QuietAsync(servers[0]);
            await far.AssertCleanAsync((int)servers[0].Counters.Accepted);
        }
        await AssertServesAsync(listener);
    }

    // the listener is a client too: whatever a hop answers, it says what is wrong with it
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hostile_hop_is_told_with_its_number(string sockets)
    {
        int next = 0;
        await using Origin hop = Origin.Of(async socket =>
        {
            byte[] bytes = Hostile.Make(new Random(Interlocked.Increment(ref next)));
            await socket.ReceiveAsync(new byte[1000]);
            await Origin.SendAllAsync(socket, bytes);
        });
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(
            new("127.0.0.1", 9), new ProxyChain(ProxyHop.Parse($"relay://{hop.Endpoint}")), o => o with { EventCapacity = 5000, ConnectTimeout = TimeSpan.FromSeconds(5) });
        using var aftermath = new Aftermath(listener);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++) await Client.AssertTurnedAwayAsync(listener.LocalPort);
        }))).Within(60);
        await aftermath.AssertCleanAsync(160);
        Assert.Equal(160, listener.Counters.Failed);
        Assert.All(
            listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Failed),
            e => Assert.StartsWith($"hop 1 ({hop.Endpoint}): ", e.Message, StringComparison.Ordinal));
    }

    private static async Task AssertServesAsync(AccessListener listener)
    {
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("good");
        Assert.Equal("good"u8.ToArray(), await client.ReadAsync(4));
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await House.QuietAsync(listener);
    }
}
