using System.Net.Sockets;
using System.Text;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Fuzzing;
using ProxyShell.Engine.Tests.Protocols;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>What a server answers to clients that keep sessions to it, and to those that do it wrong (docs/protocols/relay.md, "Sessions").</summary>
public class InboundSessionTests
{
    private static readonly byte[] Ask = RelayCodecTests.Written("request, clear, session");

    [Fact]
    public async Task A_channel_whose_name_is_no_base64_is_rejected_and_the_session_lives_on()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        await using MultiplexedSession session = await BeginAsync(server);
        foreach (string name in new[] { "not base64!", "AAA", "AAAA=", "é" })
        {
            var error = await Assert.ThrowsAsync<ProxyException>(() => session.OfferAsync(name, default).Within());
            Assert.Equal((ProxyErrorReason.ProtocolError, "the channel's name is not base64 of a stream's first bytes"), (error.Reason, error.Detail));
        }
        await AssertConnectsAsync(session, origin.Endpoint, inName: 1000);
        Assert.Equal(1, server.Counters.Channels);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(1000)]
    public async Task A_request_may_come_in_the_name_behind_it_or_in_both(int inName)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        await using MultiplexedSession session = await BeginAsync(await house.ProxyAsync());
        await AssertConnectsAsync(session, origin.Endpoint, inName);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(15_348)]
    public async Task A_name_may_hold_the_payload_behind_the_request_too(int length)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        await using MultiplexedSession session = await BeginAsync(await house.ProxyAsync());
        byte[] header = Request(origin.Endpoint), payload = RandomBytes.Of(length - header.Length);
        await using SessionChannel channel = await session.OfferAsync(Convert.ToBase64String([.. header, .. payload]), default).Within();
        await channel.CompleteWritesAsync(default);
        Assert.Equal(ProxyErrorReason.None, (await AnswerAsync(channel)).Reason);
        var echoed = new byte[payload.Length];
        await ReadExactlyAsync(channel, echoed);
        Assert.Equal(payload, echoed);
    }

    [Fact]
    public async Task A_session_within_a_channel_is_refused()
    {
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync();
        await using MultiplexedSession session = await BeginAsync(server);
        await using SessionChannel channel = await session.OfferAsync(Convert.ToBase64String(Ask), default).Within();
        RelayResponse answer = await AnswerAsync(channel);
        Assert.Equal((ProxyErrorReason.Unsupported, "a channel of a session cannot become a session"), (answer.Reason, answer.Message));
        Assert.Equal("client: a channel of a session cannot become a session", (await House.EventAsync(server, ProxyEventKind.Refused)).Message);
        Assert.False(session.Completion.IsCompleted);
        Assert.Single(server.GetSessions());
    }

    [Fact]
    public async Task A_session_whose_first_channel_does_not_come_is_cut_off()
    {
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync(o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        await using MultiplexedSession session = await BeginAsync(server);
        await session.Completion.Within();
        await House.QuietAsync(server);
        Assert.Empty(server.GetSessions());
        Assert.StartsWith("client: sent no complete request within 0", server.Events.ToList().Last(e => e.Kind is ProxyEventKind.Refused or ProxyEventKind.Failed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_with_channels_is_not_idle_and_one_without_is()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync(o => o with { IdleTimeout = TimeSpan.FromMilliseconds(400) });
        await using MultiplexedSession session = await BeginAsync(server);
        await AssertConnectsAsync(session, origin.Endpoint, inName: 1000);
        await session.Completion.Within();
        Assert.Equal("idle limit reached", server.Events.ToList().Last(e => e.Kind is ProxyEventKind.Closed or ProxyEventKind.Failed).Message);
    }

    [Fact]
    public async Task Whatever_follows_the_request_for_a_session_leaves_nothing_behind()
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House("linux");
        ProxyServer server = await house.ProxyAsync(o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(400), EventCapacity = 10_000 });
        await Parallel.ForEachAsync(Enumerable.Range(1, 300), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (seed, _) =>
        {
            var random = new Random(seed);
            using Client client = await Client.ConnectAsync(server.LocalPort);
            byte[] frames = seed % 3 == 0 ? Hostile.Make(random) : [.. Enumerable.Range(0, 20).SelectMany(_ => Offer(random))];
            try
            {
                await client.SendAsync((byte[])[.. Ask, .. frames]);
                client.EndSending();
                await client.ReadToEndAsync();
            }
            catch (SocketException)
            {
                // reset for what it said
            }
        });
        await House.QuietAsync(server);
        await Deadline.Until(() => server.GetSessions().Count == 0, "no session is listed");
        Assert.DoesNotContain(server.Events.ToList(), e => e.Kind == ProxyEventKind.Warning || e.Message.Contains("internal error", StringComparison.Ordinal));
        await using MultiplexedSession session = await BeginAsync(server);
        await AssertConnectsAsync(session, origin.Endpoint, inName: 1000);
    }

    // an offer of version 3 (docs/protocols/multiplexing.md) whose name is base64 of a hostile stream, or no base64
    private static byte[] Offer(Random random)
    {
        byte[] first = Hostile.Make(random);
        string name = random.Next(4) == 0 ? Encoding.Latin1.GetString(first[..Math.Min(first.Length, 200)]) : Convert.ToBase64String(first[..Math.Min(first.Length, 8000)]);
        var output = new byte[FrameCodec.MaxFrame];
        var writer = new FrameWriter(output, FrameCodec.Of(MultiplexingVersion.V3, isOdd: false));
        writer.Offer(new ChannelId(random.Next(1, 100), ChannelSource.Local), Encoding.UTF8.GetBytes(name), 102_400);
        return output[..writer.Length];
    }

    private static async Task<MultiplexedSession> BeginAsync(ProxyServer server)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", server.LocalPort).Within();
        NetworkStream stream = socket.GetStream();
        await stream.WriteAsync(Ask).AsTask().Within();
        var answer = new byte[RelayResponseCodec.MinLength];
        await stream.ReadExactlyAsync(answer).AsTask().Within();
        Assert.Equal(ProxyErrorReason.None, RelayResponseCodec.Read(answer, UInt128.One, null, out _)!.Reason);
        return await MultiplexedSession.StartAsync(stream, new SessionOptions(), default);
    }

    // an exchange with an echo, whose request comes in the channel's name as far as said
    private static async Task AssertConnectsAsync(MultiplexedSession session, HostEndpoint origin, int inName)
    {
        byte[] header = Request(origin);
        inName = Math.Min(inName, header.Length);
        await using SessionChannel channel = await session.OfferAsync(Convert.ToBase64String(header.AsSpan(0, inName)), default).Within();
        if (inName < header.Length) await channel.WriteAsync(header.AsMemory(inName), default);
        Assert.Equal(ProxyErrorReason.None, (await AnswerAsync(channel)).Reason);
        await channel.WriteAsync("x"u8.ToArray(), default);
        Assert.Equal(1, await channel.ReadAsync(new byte[1], default).AsTask().Within());
        await channel.CompleteWritesAsync(default);
        Assert.Equal(0, await channel.ReadAsync(new byte[1], default).AsTask().Within());
    }

    private static byte[] Request(HostEndpoint origin)
    {
        var buffer = new byte[1024];
        var request = new RelayRequest { Command = RelayCommand.Connect, Nonce = UInt128.One, Timestamp = DateTimeOffset.UtcNow, Next = TransportAddress.Tcp(origin) };
        return buffer[..RelayRequestCodec.Write(buffer, request, null)];
    }

    private static async Task<RelayResponse> AnswerAsync(SessionChannel channel)
    {
        var bytes = new byte[RelayResponseCodec.MaxWrittenLength];
        await ReadExactlyAsync(channel, bytes.AsMemory(0, RelayFrame.FrontLength));
        RelayResponseCodec.Measure(bytes.AsSpan(0, RelayFrame.FrontLength), out int total, out _);
        await ReadExactlyAsync(channel, bytes.AsMemory(RelayFrame.FrontLength, total - RelayFrame.FrontLength));
        return RelayResponseCodec.Read(bytes.AsSpan(0, total), UInt128.One, null, out _)!;
    }

    private static async Task ReadExactlyAsync(SessionChannel channel, Memory<byte> bytes)
    {
        for (int length = 0; length < bytes.Length;)
        {
            int count = await channel.ReadAsync(bytes[length..], default).AsTask().Within();
            Assert.NotEqual(0, count);
            length += count;
        }
    }
}
