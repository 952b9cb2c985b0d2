using ProxyShell.Engine.Access;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Any datagrams at all sent to a proxy server, or back to a client of it, harm nobody.</summary>
public sealed class DatagramFuzzing : IAsyncLifetime
{
    private const int Attacks = 3000;

    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();

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
    public async Task Hostile_datagrams_are_dropped_or_refused_and_leave_nothing_behind(string sockets, bool keyed)
    {
        await using var house = new House(sockets);
        ProxyServer server = await house.ProxyAsync(o => o with
        {
            Udp = true,
            Keys = keyed ? [Hostile.Key] : [],
            AllowDestination = [DestinationPattern.Parse($"127.0.0.1:{_origin.Port}")],
            ConnectTimeout = TimeSpan.FromSeconds(1),
            EventCapacity = 5000,
        });
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(server.ToHop()), o => o with { Udp = true });
        using var friend = new DatagramClient(listener.LocalPort);
        await friend.AssertEchoAsync("good");
        int descriptors = Descriptors.Count();

        var random = new Random(11);
        for (int round = 0; round < 20; round++)
        {
            using var attacker = new DatagramClient(server.LocalPort);
            for (int i = 0; i < Attacks / 20; i++) attacker.Send(Make(random));
            // the friend's datagram waits behind the attacker's: when it is back, they have been dealt with
            await friend.AssertEchoAsync($"good {round}");
        }

        await Deadline.Until(() => server.Counters.Active == 1, $"only the friend's flow is left, of {server.Counters.Active}");
        await Deadline.Until(() => Descriptors.Count() <= descriptors + 40, $"descriptors back to about {descriptors}, now {Descriptors.Count()}");
        Assert.True(server.Counters.Refused > 100, $"only {server.Counters.Refused} were refused");
        Assert.All(server.Events.ToList(), e =>
        {
            Assert.DoesNotContain("internal error", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(e.Message, char.IsControl);
        });
        await friend.AssertEchoAsync("still good");
        Assert.Equal(0, listener.Counters.Failed);
        Assert.Equal(22, _origin.Received);
    }

    [Fact]
    public async Task No_answer_is_much_longer_than_what_a_stranger_sent()
    {
        await using var house = new House(Sockets.Portable);
        ProxyServer server = await house.ProxyAsync(o => o with { Udp = true, Keys = [Hostile.Key] });
        using var stranger = new DatagramClient(server.LocalPort);
        byte[] request = Tests.Protocols.RelayCodecTests.Written("request, clear, datagram");
        stranger.Send(request);
        byte[] answer = await stranger.ReceiveAsync();
        Assert.InRange(answer.Length, RelayResponseCodec.MinLength, request.Length);
        // answers are never answered, or two servers could be made to talk for ever
        stranger.Send(answer);
        stranger.Send("F"u8);
        stranger.Send(request);
        Assert.Equal(RelayCodecEcho(answer), RelayCodecEcho(await stranger.ReceiveAsync()));
        Assert.Equal(4, server.Counters.Refused);
    }

    [Fact]
    public async Task Hostile_answers_do_not_disturb_a_flow()
    {
        await using var house = new House(Sockets.Portable);
        var random = new Random(13);
        // a hop that answers all kinds of things, and now and then what is right
        using var rogue = new RogueHop(request => MakeAnswer(random, request));
        AccessListener listener = await house.ListenAsync(_origin.Endpoint, new ProxyChain(ProxyHop.Parse($"relay://127.0.0.1:{rogue.Port}")), o => o with { Udp = true, EventCapacity = 5000 });
        using var client = new DatagramClient(listener.LocalPort);
        int answers = 0;
        await Deadline.Until(() =>
        {
            client.Send("ask");
            for (; client.Socket.Available > 0; answers++) Assert.InRange(client.Socket.Receive(new byte[100]), 0, 6);
            return rogue.Received >= 1000 && answers >= 100;
        }, "the hop has been asked, and its good answers have come");
        Assert.All(listener.Events.ToList(), e => Assert.DoesNotContain("internal error", e.Message, StringComparison.Ordinal));
    }

    private static byte[] RelayCodecEcho(byte[] answer) => answer[..22];

    private static byte[] Make(Random random) => random.Next(8) switch
    {
        0 => [],
        1 => RandomBytes.Of(random.Next(65_000), random.Next()),
        2 => Tests.Protocols.RelayCodecTests.Written("request, clear, datagram")[..random.Next(47)],
        3 => [.. Mutated(random, "request, clear, datagram"), .. RandomBytes.Of(random.Next(2000), random.Next())],
        4 => Mutated(random, "request, sealed, datagram with payload key"),
        5 => Mutated(random, "request, clear, datagrams in a stream"),
        6 => [.. Tests.Protocols.RelayCodecTests.Written("request, sealed, datagram with payload key"), .. RandomBytes.Of(random.Next(60_000), random.Next())],
        _ => Hostile.Make(random),
    };

    private static byte[] Mutated(Random random, string vector)
    {
        byte[] bytes = Tests.Protocols.RelayCodecTests.Written(vector);
        for (int i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] MakeAnswer(Random random, byte[] request)
    {
        var response = new RelayResponse { Nonce = RelayRequestCodec.NonceOf(request), Salt = RelayResponseCodec.NewSalt(), Reason = ProxyErrorReason.None };
        var buffer = new byte[RelayResponseCodec.MaxWrittenLength];
        byte[] answer = [.. buffer.AsSpan(0, RelayResponseCodec.Write(buffer, response, null)), .. "answer"u8];
        switch (random.Next(4))
        {
            case 0: return answer[..random.Next(answer.Length)];
            case 1: return RandomBytes.Of(random.Next(60_000), random.Next());
            case 2:
                answer[random.Next(answer.Length)] = (byte)random.Next(256);
                return answer;
            default: return answer;
        }
    }
}
