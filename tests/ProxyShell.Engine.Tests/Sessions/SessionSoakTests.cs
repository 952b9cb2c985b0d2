using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Random lives of channels, many at once, from both sides: nothing leaks, nothing hangs, all checksums are right.</summary>
public class SessionSoakTests
{
    private const int Lives = 4000;

    public static TheoryData<MultiplexingVersion, string> Runs
    {
        get
        {
            var data = new TheoryData<MultiplexingVersion, string>();
            foreach (string sockets in Sockets.Kinds)
            {
                data.Add(MultiplexingVersion.V2, sockets);
                data.Add(MultiplexingVersion.V3, sockets);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Thousands_of_random_lives(MultiplexingVersion version, string sockets)
    {
        await using SessionPair pair = await SessionPair.StartAsync(sockets, new SessionOptions { Version = version, Window = 30_000, MaxChannels = 3000, MaxPendingOffers = 3000 });
        Task nearServes = ServeAsync(pair.Near), farServes = ServeAsync(pair.Far);
        int begun = 0;
        await Task.WhenAll(Enumerable.Range(0, 500).Select(worker => Task.Run(async () =>
        {
            for (int seed; (seed = Interlocked.Increment(ref begun)) <= Lives;) await LiveAsync(seed % 2 == 0 ? pair.Near : pair.Far, seed);
        }))).Within(120);
        await pair.EmptyAsync();
        Assert.Equal((0, 0), (pair.Near.Windows, pair.Far.Windows));
        Assert.Equal(Lives, pair.Near.OfferedCount + pair.Far.OfferedCount);
        await pair.Near.DisposeAsync();
        await pair.Far.DisposeAsync();
        await Task.WhenAll(nearServes, farServes).Within();
    }

    // sends, reads back what the other side echoes, and ends in one of the ways there are
    private static async Task LiveAsync(MultiplexedSession session, int seed)
    {
        var random = new Random(seed);
        byte[] sent = RandomBytes.Of(random.Next(10) == 0 ? random.Next(300_000) : random.Next(3000), seed);
        try
        {
            await using SessionChannel channel = await session.OfferAsync($"life {seed}", CancellationToken.None).Within(60);
            if (random.Next(20) == 0) return;
            Task sending = SendAsync(channel, sent, random);
            if (random.Next(10) == 0)
            {
                channel.Abort();
                await sending;
                return;
            }
            byte[] got = await SessionPair.ReadToEndAsync(channel);
            await sending;
            Assert.Equal(Convert.ToHexString(SHA256.HashData(sent)), Convert.ToHexString(SHA256.HashData(got)));
        }
        catch (ProxyException e)
        {
            // every seventh life is ended by the other side
            Assert.True(seed % 7 == 0, $"life {seed}: {e.Message}");
        }
    }

    private static async Task SendAsync(SessionChannel channel, ReadOnlyMemory<byte> bytes, Random random)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                int count = Math.Min(bytes.Length, random.Next(1, 50_000));
                await channel.WriteAsync(bytes[..count], CancellationToken.None).Within(60);
                bytes = bytes[count..];
            }
            await channel.CompleteWritesAsync(CancellationToken.None);
        }
        catch (ProxyException)
        {
            // aborted, by this side or the other; who reads is told
        }
    }

    private static async Task ServeAsync(MultiplexedSession session)
    {
        try
        {
            while (true) _ = EchoAsync(await session.NextOfferAsync(CancellationToken.None));
        }
        catch (ProxyException)
        {
            // the session is over
        }
    }

    private static async Task EchoAsync(ChannelOffer offer)
    {
        int seed = int.Parse(offer.Name[5..]);
        try
        {
            if (seed % 77 == 0)
            {
                offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Relay));
                return;
            }
            await using SessionChannel channel = offer.Accept();
            var buffer = new byte[10_000];
            int count;
            while ((count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0)
            {
                await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
                if (seed % 7 == 0) channel.Abort();
            }
            await channel.CompleteWritesAsync(CancellationToken.None);
        }
        catch (ProxyException)
        {
            // the other side has ended it
        }
    }
}
