using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Whatever is said in SOCKS, to a server or to a client, ends in time and in words.</summary>
public sealed class SocksFuzzing : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(400);

    private readonly Origin _origin = Origin.Echo();

    public static TheoryData<string, bool> Servers
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

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Hostile_clients_leave_nothing_behind(string sockets, bool guarded)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with
        {
            HandshakeTimeout = Limit,
            ConnectTimeout = Limit,
            IdleTimeout = TimeSpan.FromSeconds(1),
            EventCapacity = 5000,
            AllowDestination = [DestinationPattern.Parse($"127.0.0.1:{_origin.Port}")],
            Credentials = guarded ? [new ProxyCredential("ann", "secret")] : [],
            Protocols = guarded ? ProxyProtocols.Socks5 : null,
        });
        using (var aftermath = new Aftermath(server))
        {
            await Attacker.AttackAsync(server.LocalPort, 600, seed: guarded ? 5 : 4, random => HostileSocks.Make(random, _origin.Port));
            await aftermath.AssertCleanAsync(600);
        }
        Assert.Contains(server.Events.ToList(), e => e.Kind == ProxyEventKind.Closed);
        using SocksTalk talk = await SocksTalk.OpenAsync(server.LocalPort);
        Assert.Equal([5, guarded ? (byte)2 : (byte)0], await talk.GreetAsync(0, 2));
    }

    // the client side: whatever a hop answers, it says what is wrong with it
    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task A_hostile_hop_is_told_with_its_number(string sockets)
    {
        int next = 0;
        await using Origin hop = Origin.Of(async socket =>
        {
            var random = new Random(Interlocked.Increment(ref next));
            await socket.ReceiveAsync(new byte[100]);
            await Origin.SendAllAsync(socket, Answer(random));
        });
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(
            new("127.0.0.1", 9), new ProxyChain(ProxyHop.Parse($"socks5://ann:secret@{hop.Endpoint}")), o => o with { EventCapacity = 5000, ConnectTimeout = TimeSpan.FromSeconds(5) });
        using var aftermath = new Aftermath(listener);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++) await Client.AssertTurnedAwayAsync(listener.LocalPort);
        }))).Within(60);
        await aftermath.AssertCleanAsync(160);
        Assert.Equal(160, listener.Counters.Failed);
        Assert.All(listener.Events.ToList().Where(e => e.Kind == ProxyEventKind.Failed), e => Assert.Contains($"hop 1 ({hop.Endpoint})", e.Message, StringComparison.Ordinal));
    }

    // never a whole success
    private static byte[] Answer(Random random)
    {
        byte[] answer = random.Next(4) switch
        {
            0 => RandomBytes.Of(random.Next(0, 40), random.Next()),
            1 => [5, 2, 1, (byte)random.Next(2), 5, (byte)random.Next(1, 256), 0, (byte)random.Next(6), 1, 2, 3, 4, 5, 6],
            2 => [5, 0, 5, (byte)random.Next(1, 20), 0, 1, 0, 0, 0, 0, 0, 0],
            _ => [5, 0, 5, 0, 0, 3, 200, .. new byte[random.Next(190)]],
        };
        return answer[..random.Next(answer.Length + 1)];
    }
}
