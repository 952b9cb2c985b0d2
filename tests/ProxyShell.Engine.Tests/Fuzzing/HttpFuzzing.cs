using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Any bytes sent to an HTTP proxy, by clients or by origins, end in order and leave nothing behind.</summary>
public class HttpFuzzing
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hostile_clients_leave_nothing_behind(string sockets)
    {
        const int Attacks = 600;
        // through tunnels come bytes that are no requests at all
        await using Origin origin = WebOrigin.ByHand(async stream => await Record.ExceptionAsync(async () =>
        {
            while (await stream.ReadHeadAsync() is { } head)
            {
                await stream.ReadBodyAsync(head);
                await stream.SendAsync(WebOrigin.Ok("a"));
            }
        }));
        await using WebOrigin good = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await StartAsync(house, origin.Port, good.Port);
        await AssertServesAsync(proxy, good);
        int before = (int)proxy.Counters.Accepted;
        using (var aftermath = new Aftermath(proxy))
        {
            await Attacker.AttackAsync(proxy.LocalPort, Attacks, seed: 5, random => HostileHttp.Request(random, origin.Endpoint.ToString()));
            await aftermath.AssertCleanAsync(before + Attacks);
        }
        await AssertServesAsync(proxy, good);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hostile_origins_leave_nothing_behind(string sockets)
    {
        const int Requests = 200;
        int next = 0;
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            var random = new Random(Interlocked.Increment(ref next));
            while (await stream.ReadHeadAsync() is not null) await Origin.SendAllAsync(stream.Socket, HostileHttp.Response(random));
        });
        await using WebOrigin good = WebOrigin.Answering(WebOrigin.Ok("a"));
        await using var house = new House(sockets);
        ProxyServer proxy = await StartAsync(house, origin.Port, good.Port);
        await AssertServesAsync(proxy, good);
        int before = (int)proxy.Counters.Accepted;
        using (var aftermath = new Aftermath(proxy))
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
            {
                for (int i = 0; i < Requests / 20; i++) await AskAsync(proxy.LocalPort, origin.Port);
            }))).Within(120);
            await aftermath.AssertCleanAsync(before + Requests);
        }
        await AssertServesAsync(proxy, good);
    }

    // three requests, of which the later ones may or may not be answered
    private static async Task AskAsync(int proxy, int origin)
    {
        try
        {
            using Client client = await Client.ConnectAsync(proxy);
            string request = $"GET http://127.0.0.1:{origin}/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            await client.SendAsync(request + request + request);
            client.EndSending();
            await client.ReadToEndAsync(seconds: 20);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // cut off, since the response was
        }
    }

    private static Task<ProxyServer> StartAsync(House house, params int[] ports) => house.ProxyAsync(o => o with
    {
        HandshakeTimeout = Limit,
        ConnectTimeout = Limit,
        IdleTimeout = TimeSpan.FromSeconds(1),
        EventCapacity = 5000,
        AllowDestination = [.. ports.Select(port => DestinationPattern.Parse($"127.0.0.1:{port}"))],
    });

    private static async Task AssertServesAsync(ProxyServer proxy, WebOrigin origin)
    {
        using (WebClient client = await WebClient.ConnectAsync(proxy.LocalPort))
            Assert.Equal(200, (await client.AskAsync($"GET http://{origin.Authority}/ HTTP/1.1\r\nHost: x\r\n\r\n")).Status);
        await House.QuietAsync(proxy);
    }
}
