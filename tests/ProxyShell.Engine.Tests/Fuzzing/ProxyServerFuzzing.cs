using System.Text;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Any bytes at all sent to a proxy server end in a clean, logged refusal within the time limit.</summary>
public sealed class ProxyServerFuzzing : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(400);

    private readonly Origin _origin = Origin.Echo();

    public static TheoryData<string, string> Servers
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                foreach (string kind in new[] { "plain", "keyed", "tls" }) data.Add(sockets, kind);
            }
            return data;
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Hostile_bytes_are_refused_and_leave_nothing_behind(string sockets, string kind)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house, kind);
        await AssertServesAsync(house, server);
        int before = (int)server.Counters.Accepted;
        int attacks = kind == "tls" ? 200 : 500;
        using (var aftermath = new Aftermath(server))
        {
            await Attacker.AttackAsync(server.LocalPort, attacks, seed: kind.Length);
            await aftermath.AssertCleanAsync(before + attacks);
        }
        await AssertServesAsync(house, server);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_header_cut_anywhere_is_refused(string sockets, string kind)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house, kind);
        using var aftermath = new Aftermath(server);
        byte[] header = Tests.Protocols.RelayCodecTests.Written(kind == "keyed" ? "request, sealed, IPv6" : "request, clear, name over TLS with thumbprint");
        for (int length = 0; length < header.Length; length++)
        {
            using Client client = await Client.ConnectAsync(server.LocalPort);
            await client.SendAsync(header.AsMemory(0, length));
            client.EndSending();
            Assert.True(await client.IsClosedAsync());
        }
        await aftermath.AssertCleanAsync(header.Length);
        Assert.Equal(header.Length, server.Counters.Refused);
        if (kind != "tls") Assert.Equal("client: closed the connection within a request header", (await House.EventAsync(server, ProxyEventKind.Refused)).Message);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_client_that_stalls_is_thrown_out_at_the_limit(string sockets, string kind)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house, kind);
        using var aftermath = new Aftermath(server);
        byte[] header = Tests.Protocols.RelayCodecTests.Written("request, clear, IPv4");
        int[] lengths = kind == "tls" ? [0, 1, 2] : [0, 1, 5, 6, 30, header.Length - 1];
        long start = Environment.TickCount64;
        await Task.WhenAll(lengths.Select(async length =>
        {
            using Client client = await Client.ConnectAsync(server.LocalPort);
            // the start of a TLS record stalls a TLS server as the start of a header stalls a plain one
            await client.SendAsync(kind == "tls" ? new byte[] { 0x16, 3, 1 }.AsMemory(0, length) : header.AsMemory(0, length));
            Assert.True(await client.IsClosedAsync());
        }));
        Assert.InRange(Environment.TickCount64 - start, Limit.TotalMilliseconds * 0.9, 10_000);
        await aftermath.AssertCleanAsync(lengths.Length);
        Assert.All(
            server.Events.ToList().Where(e => e.Kind == ProxyEventKind.Refused),
            e => Assert.Equal(("client: sent no complete request within 0.4 s", ProxyErrorReason.TimedOut), (e.Message, e.Reason)));
        Assert.Equal(lengths.Length, server.Counters.Refused);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task The_limit_is_for_the_whole_header_however_slowly_it_comes(string sockets)
    {
        await using var house = new House(sockets);
        ProxyServer server = await StartAsync(house, "plain");
        using Client client = await Client.ConnectAsync(server.LocalPort);
        Task<bool> closed = client.IsClosedAsync();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(40));
        byte[] header = Tests.Protocols.RelayCodecTests.Written("request, clear, probe");
        int sent = 0;
        try
        {
            for (; sent < header.Length && !closed.IsCompleted; sent++)
            {
                await client.SendAsync(header.AsMemory(sent, 1));
                await pace.WaitForNextTickAsync();
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // thrown out between two bytes
        }
        Assert.True(await closed);
        Assert.True(sent < header.Length, "the header was never whole");
        Assert.Equal("client: sent no complete request within 0.4 s", (await House.EventAsync(server, ProxyEventKind.Refused)).Message);
        await House.QuietAsync(server);
    }

    public static TheoryData<string> Addresses => new(HostileAddresses.Keys);

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task A_hostile_address_is_refused_in_words(string which)
    {
        await using var house = new House(Sockets.Portable);
        // no list and no guard: nothing but the reader of addresses stands before the socket calls
        ProxyServer server = await house.ProxyAsync(o => o with { ConnectTimeout = TimeSpan.FromSeconds(2) });
        using var aftermath = new Aftermath(server);
        using (Client client = await Client.ConnectAsync(server.LocalPort))
        {
            await client.SendAsync(HostileAddresses[which]);
            RelayResponse? answer = RelayResponseCodec.Read(await client.ReadToEndAsync(), 7, null, out string fault);
            Assert.Equal("", fault);
            Assert.NotEqual(ProxyErrorReason.None, answer!.Reason);
            // the kernel alone knows what is wrong with a link-local address, and its word for it is "invalid argument"
            if (!which.StartsWith("a link-local", StringComparison.Ordinal)) Assert.NotEqual(ProxyErrorReason.Other, answer.Reason);
            Assert.NotEqual("", answer.Message);
        }
        await aftermath.AssertCleanAsync(1);
    }

    private static readonly Dictionary<string, byte[]> HostileAddresses = new()
    {
        ["a path of 108 bytes"] = Hostile.Request(3, 5, Hostile.Text(Bytes("/" + new string('p', 107)))),
        ["a path of 255 bytes"] = Hostile.Request(3, 5, Hostile.Text(Bytes("/" + new string('p', 254)))),
        ["an empty path"] = Hostile.Request(3, 5, Hostile.Text([])),
        ["a path with a zero"] = Hostile.Request(3, 5, Hostile.Text([0, 97, 98])),
        ["a path with an escape sequence"] = Hostile.Request(3, 5, Hostile.Text(Bytes("/tmp/\u001b[2J"))),
        ["a path of no UTF-8"] = Hostile.Request(3, 5, Hostile.Text([0x2f, 0xff, 0xfe])),
        ["a path that is not there"] = Hostile.Request(3, 5, Hostile.Text(Bytes("/nowhere/none.sock"))),
        ["a folder"] = Hostile.Request(3, 5, Hostile.Text(Bytes("/tmp"))),
        ["a path over TCP"] = Hostile.Request(1, 5, Hostile.Text(Bytes("/tmp/p"))),
        ["an empty name"] = Hostile.Request(1, 3, Hostile.Text([], 0, 80)),
        ["a name of 254 characters"] = Hostile.Request(1, 3, Hostile.Text(Bytes(new string('a', 254)), 0, 80)),
        ["a label of 64 characters"] = Hostile.Request(1, 3, Hostile.Text(Bytes(new string('a', 64) + ".invalid"), 0, 80)),
        ["a name with a line break"] = Hostile.Request(1, 3, Hostile.Text(Bytes("a\nb"), 0, 80)),
        ["a name with an 8-bit escape"] = Hostile.Request(1, 3, Hostile.Text(Bytes("a\u009b2J.invalid"), 0, 80)),
        ["a name with a line separator"] = Hostile.Request(1, 3, Hostile.Text(Bytes("a\u2028b.invalid"), 0, 80)),
        ["a name of no UTF-8"] = Hostile.Request(1, 3, Hostile.Text([0xc3, 0x28], 0, 80)),
        ["a name with a zero"] = Hostile.Request(1, 3, Hostile.Text([97, 0, 98], 0, 80)),
        ["a name with a colon"] = Hostile.Request(1, 3, Hostile.Text(Bytes("a:b"), 0, 80)),
        ["a name of dots"] = Hostile.Request(1, 3, Hostile.Text(Bytes("..."), 0, 80)),
        ["a name of percent signs"] = Hostile.Request(1, 3, Hostile.Text(Bytes("%s%n%x.invalid"), 0, 80)),
        ["a link-local address of no interface"] = Hostile.Request(1, 3, Hostile.Text(Bytes("fe80::1%nosuch0"), 0, 80)),
        ["a link-local address without interface"] = Hostile.Request(1, 4, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80),
        ["port 0"] = Hostile.Request(1, 1, 127, 0, 0, 1, 0, 0),
        ["multicast"] = Hostile.Request(1, 1, 224, 0, 0, 1, 0, 80),
        ["broadcast"] = Hostile.Request(1, 1, 255, 255, 255, 255, 0, 80),
        ["half an address"] = Hostile.Request(1, 4, 1, 2, 3),
        ["an unknown transport"] = Hostile.Request(9, 1, 127, 0, 0, 1, 0, 80),
        ["an unknown kind"] = Hostile.Request(1, 9, 127, 0, 0, 1, 0, 80),
        ["no address"] = Hostile.Request(0, 0),
        ["an option of a length that is not there"] = Hostile.Request(1, 1, 127, 0, 0, 1, 0, 80, 1, 0xff, 0xff),
        ["an unknown option that matters"] = Hostile.Request(1, 1, 127, 0, 0, 1, 0, 80, 0x85, 0, 0),
        ["a thumbprint too short"] = Hostile.Request(2, 1, 127, 0, 0, 1, 0, 80, 0x81, 0, 2, 1, 2),
        ["a server name with an escape"] = Hostile.Request(2, 1, 127, 0, 0, 1, 0, 80, 0x82, 0, 2, 0x1b, 0x5b),
    };

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private Task<ProxyServer> StartAsync(House house, string kind) => house.ProxyAsync(o => o with
    {
        HandshakeTimeout = Limit,
        ConnectTimeout = Limit,
        IdleTimeout = TimeSpan.FromSeconds(1),
        EventCapacity = 5000,
        AllowDestination = [DestinationPattern.Parse($"127.0.0.1:{_origin.Port}")],
        Keys = kind == "keyed" ? [Hostile.Key] : [],
        Certificate = kind == "tls" ? Certificates.Localhost : null,
    });

    private async Task AssertServesAsync(House house, ProxyServer server)
    {
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop()));
        using Client client = await Client.ConnectAsync(listener.LocalPort);
        await client.SendAsync("good");
        Assert.Equal("good"u8.ToArray(), await client.ReadAsync(4));
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await House.QuietAsync(server);
    }
}
