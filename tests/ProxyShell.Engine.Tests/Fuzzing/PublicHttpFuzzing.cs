using ProxyShell.Engine.Tests.Tunnels.Http;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>A gateway's public ports meet hostile clients, and hostile services behind agents: all end in order and leave nothing behind.</summary>
public class PublicHttpFuzzing
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hostile_clients_leave_nothing_behind(string sockets)
    {
        const int Attacks = 600;
        await using Origin origin = WebOrigin.ByHand(async stream => await Record.ExceptionAsync(async () =>
        {
            while (await stream.ReadHeadAsync() is { } head)
            {
                await stream.ReadBodyAsync(head);
                await stream.SendAsync(WebOrigin.Ok("a"));
            }
        }));
        await using PublicSite site = await StartAsync(sockets, origin.Port);
        await AssertServesAsync(site);
        int before = (int)site.Gateway.Counters.Accepted;
        using (var aftermath = new Aftermath(site.Gateway))
        {
            await Attacker.AttackAsync(site.Port, Attacks, seed: 7, random => HostileHttp.Request(random, PublicSite.Host));
            await aftermath.AssertCleanAsync(before + Attacks);
        }
        await AssertServesAsync(site);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hostile_TLS_clients_leave_nothing_behind(string sockets)
    {
        const int Attacks = 300;
        byte[] hello = await TlsHello.CaptureAsync(PublicSite.Host);
        byte[][] good = [hello, TlsHello.Fragmented(hello, 10), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray()];
        await using Origin origin = Origin.Echo();
        await using PublicSite site = await StartAsync(sockets, origin.Port);
        site.Register(origin.Port, kind: TunnelKind.Tls);
        int before = (int)site.Gateway.Counters.Accepted;
        using var aftermath = new Aftermath(site.Gateway);
        await Attacker.AttackAsync(site.Gateway.HttpsPort, Attacks, seed: 9, random =>
        {
            byte[] bytes = [.. good[random.Next(good.Length)]];
            for (int i = random.Next(4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            return random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
        });
        await aftermath.AssertCleanAsync(before + Attacks);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Hostile_services_leave_nothing_behind(string sockets)
    {
        const int Requests = 200;
        int next = 0;
        await using Origin origin = WebOrigin.ByHand(async stream =>
        {
            var random = new Random(Interlocked.Increment(ref next));
            while (await stream.ReadHeadAsync() is not null) await Origin.SendAllAsync(stream.Socket, HostileHttp.Response(random));
        });
        await using PublicSite site = await StartAsync(sockets, origin.Port);
        int before = (int)site.Gateway.Counters.Accepted;
        using (var aftermath = new Aftermath(site.Gateway))
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
            {
                for (int i = 0; i < Requests / 20; i++) await AskAsync(site.Port);
            }))).Within(120);
            await aftermath.AssertCleanAsync(before + Requests);
        }
        await AssertServesAsync(site, "good.example.org");
    }

    // three requests, of which the later ones may or may not be answered
    private static async Task AskAsync(int port)
    {
        try
        {
            using Client client = await Client.ConnectAsync(port);
            string request = PublicSite.Get("/", "Connection: Upgrade", "Upgrade: websocket");
            await client.SendAsync(request + request + request);
            client.EndSending();
            await client.ReadToEndAsync(seconds: 20);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // cut off, since the response was
        }
    }

    private static async Task<PublicSite> StartAsync(string sockets, int port)
    {
        PublicSite site = await PublicSite.StartAsync(sockets, o => o with { AnswerTimeout = Limit, KeepAliveTimeout = Limit, ServiceKeepAliveTimeout = Limit }, o => o with
        {
            HandshakeTimeout = Limit,
            ConnectTimeout = Limit,
            IdleTimeout = Limit,
            EventCapacity = 10_000,
            HttpsPort = 0,
            Certificate = Certificates.Localhost,
        });
        site.Register(port);
        return site;
    }

    private static async Task AssertServesAsync(PublicSite site, string host = PublicSite.Host)
    {
        await using WebOrigin good = WebOrigin.Answering(WebOrigin.Ok("a"));
        if (host != PublicSite.Host) site.Register(good.Port, host: host);
        Assert.Equal(200, (await site.AskAsync($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).Status);
        await House.QuietAsync(site.Gateway);
    }
}
