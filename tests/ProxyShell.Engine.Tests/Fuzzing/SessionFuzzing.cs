using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;
using ProxyShell.Engine.Tests.Protocols.Multiplexing;
using ProxyShell.Engine.Tests.Sessions;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Whatever a peer says, a session ends in order or in words, keeps within its memory, and leaves nothing behind.</summary>
public class SessionFuzzing
{
    private const int Rounds = 150;
    private const long Memory = 1 << 20;

    public static TheoryData<MultiplexingVersion> Versions => new(MultiplexingVersion.V1, MultiplexingVersion.V2, MultiplexingVersion.V3);

    private static SessionOptions Options(MultiplexingVersion version) => new()
    {
        Version = version,
        Window = 30_000,
        MaxWindow = 200_000,
        MaxWindows = Memory,
        MaxChannels = 20,
        MaxPendingOffers = 5,
        SeededChannels = version == MultiplexingVersion.V3 ? 2 : 0,
        KeepAlive = Timeout.InfiniteTimeSpan,
    };

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Any_sequence_of_frames_ends_cleanly(MultiplexingVersion version)
    {
        for (int seed = 1; seed <= Rounds; seed++)
        {
            var random = new Random(seed);
            await using RawPeer peer = await RawPeer.StartAsync(Options(version));
            MultiplexedSession session = peer.Session;
            Task use = UseAsync(session), reading = ReadAllAsync(peer);
            for (int i = 0; i < 200 && !session.Completion.IsCompleted; i++) await peer.TrySendAsync(Make(random, version, peer));
            Assert.True(session.Windows <= Memory + (20 * WindowBudget.Least), $"seed {seed}: windows come to {session.Windows:N0} bytes");
            Assert.True(session.ChannelCount <= 20, $"seed {seed}: {session.ChannelCount} channels");
            await peer.TryEndAsync();
            ProxyException? why = await session.Completion.Within();
            Assert.True(why is null or { Reason: ProxyErrorReason.ProtocolError or ProxyErrorReason.ConnectionClosed or ProxyErrorReason.ConnectionReset }, $"seed {seed}: {why}");
            await use.Within();
            await reading.Within();
            Assert.Equal(0, session.ChannelCount);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Changed_bytes_end_the_session_in_words(MultiplexingVersion version)
    {
        for (int seed = 1; seed <= Rounds; seed++)
        {
            var random = new Random(seed);
            await using RawPeer peer = await RawPeer.StartAsync(Options(version));
            Task use = UseAsync(peer.Session), reading = ReadAllAsync(peer);
            byte[] stream = [.. Enumerable.Range(0, 100).SelectMany(_ => Make(random, version, peer))];
            for (int changes = random.Next(1, 10); changes > 0; changes--) stream[random.Next(stream.Length)] = (byte)random.Next(256);
            await peer.TrySendAsync(stream);
            await peer.TryEndAsync();
            await peer.Session.Completion.Within();
            await use.Within();
            await reading.Within();
        }
    }

    // frames that are well made, and mostly about few channels, so that some of them make sense
    private static byte[] Make(Random random, MultiplexingVersion version, RawPeer peer)
    {
        var source = (ChannelSource)(version == MultiplexingVersion.V3 ? random.Next(20) == 0 ? 0 : (random.Next(4) == 0 ? -1 : 1) : random.Next(4) == 0 ? -1 : 1);
        long number = random.Next(300) == 0 ? random.Next() : random.Next(1, 9);
        // of a parity that belongs to the source: the peer is the even party, whose own are even
        if (version != MultiplexingVersion.V3) number = (number * 2) - (source == ChannelSource.Remote ? 1 : 0);
        var code = (FrameCode)(random.Next(200) == 0 ? random.Next(100) : random.Next(12) switch { 0 or 1 or 2 => 0, 3 => 1, 4 or 5 or 6 => 2, 7 => 3, 8 => 4, 9 => 5, 10 => 7, _ => random.Next(9) });
        byte[] payload = code switch
        {
            FrameCode.Offer => version == MultiplexingVersion.V1 ? [120] : [0x92, 0xA1, (byte)random.Next(97, 100), 0xCD, 0x40, 0],
            FrameCode.Content => RandomBytes.Of(random.Next(5) == 0 ? random.Next(20_000) : random.Next(1, 500), random.Next()),
            FrameCode.OfferAccepted => [0x91, 0xCD, 0x10, 0],
            FrameCode.ContentProcessed or FrameCode.ChannelWindowAdjust => random.Next(50) == 0 ? [0x91, 0xCF, 0x7F, 1, 1, 1, 1, 1, 1, 1] : [0x91, (byte)random.Next(100)],
            FrameCode.ChannelTerminated when random.Next(2) == 0 => [0x91, 0xA5, .. "no: x"u8],
            _ => [],
        };
        if (code == FrameCode.Offer && random.Next(10) != 0) (source, number) = (ChannelSource.Local, peer.NextOffer += 2);
        return peer.Written(code, new ChannelId(number, source), payload);
    }

    // somebody who offers, accepts, reads and writes without much sense either
    private static async Task UseAsync(MultiplexedSession session)
    {
        var uses = new List<Task>();
        try
        {
            for (int i = 0; i < 3; i++) uses.Add(EchoAsync(session.Offer($"mine {i}")));
            while (true)
            {
                ChannelOffer offer = await session.NextOfferAsync(CancellationToken.None);
                if (offer.Id.Number % 5 == 0) offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Relay));
                else uses.Add(EchoAsync(offer.Accept()));
            }
        }
        catch (ProxyException)
        {
            // withdrawn offers and the session's end
            if (!session.Completion.IsCompleted) uses.Add(UseMoreAsync(session));
        }
        await Task.WhenAll(uses);
    }

    private static async Task UseMoreAsync(MultiplexedSession session)
    {
        await Task.Yield();
        await UseAsync(session);
    }

    private static async Task EchoAsync(SessionChannel channel)
    {
        try
        {
            var buffer = new byte[1000];
            int count;
            while ((count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0) await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
            await channel.CompleteWritesAsync(CancellationToken.None);
        }
        catch (ProxyException)
        {
            // this is what the peer is like
        }
    }

    private static async Task ReadAllAsync(RawPeer peer)
    {
        try
        {
            while (await peer.ReadAsync() is not null)
            {
            }
        }
        catch (ProxyException)
        {
            // the session was left
        }
    }
}
