using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Striping;
using ProxyShell.Engine.Striping.Transfer;
using ProxyShell.Engine.Tests.Striping;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Whatever comes on a stripe, it ends that stripe at most, in words, and memory stays within the windows.</summary>
public class StripeFuzzing
{
    private const int Rounds = 300;
    private const int Window = 300_000;

    [Fact]
    public void Any_sequence_of_frames_ends_a_stripe_at_most()
    {
        int faults = 0;
        for (int seed = 1; seed <= Rounds; seed++)
        {
            var random = new Random(seed);
            List<StripedStream> streams = [];
            using var set = new StripeSet(new StripeSetOptions { Time = new ManualTime(), Window = Window, MaxStreams = 20 }, isNear: false) { Opened = streams.Add };
            SimulatedEnd stripe = Join(set, 1);
            for (int i = 2; i < 300 && !set.Completion.IsCompleted; i++)
            {
                if (TrySend(stripe, Make(random)) || set.Completion.IsCompleted) continue;
                faults++;
                stripe.Remove();
                stripe = Join(set, i);
            }
            Assert.True(set.StreamCount <= 20, $"seed {seed}: {set.StreamCount} streams");
            Assert.All(streams, stream => Assert.True(stream.Incoming.Ready + stream.Incoming.Early <= 2 * Window, $"seed {seed}: {stream} keeps {stream.Incoming.Ready + stream.Incoming.Early:N0} bytes"));
        }
        Assert.True(faults > Rounds, $"only {faults} faults were found");
    }

    [Fact]
    public void Any_bytes_end_a_stripe_at_most()
    {
        for (int seed = 1; seed <= Rounds; seed++)
        {
            var random = new Random(seed);
            using var set = new StripeSet(new StripeSetOptions { Time = new ManualTime(), Window = Window }, isNear: seed % 2 == 0);
            SimulatedEnd stripe = Join(set, 1);
            for (int i = 2; i < 50 && !set.Completion.IsCompleted; i++)
            {
                byte[] bytes = new byte[random.Next(1, 2000)];
                random.NextBytes(bytes);
                bytes[0] = (byte)random.Next(13);
                if (TrySend(stripe, bytes) || set.Completion.IsCompleted) continue;
                stripe.Remove();
                stripe = Join(set, i);
            }
        }
    }

    private static SimulatedEnd Join(StripeSet set, int number) => new(set, set.AddStripe(number, _ => { }, null, TimeSpan.FromMilliseconds(1)));

    private static bool TrySend(SimulatedEnd stripe, ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[stripe.Read(bytes)..];
            return true;
        }
        catch (ProxyException e)
        {
            Assert.Equal(ProxyErrorReason.ProtocolError, e.Reason);
            return false;
        }
    }

    private static byte[] Make(Random random)
    {
        var kind = (StripeFrameKind)random.Next(1, random.Next(20) == 0 ? 12 : 10);
        int length = kind == StripeFrameKind.Data ? random.Next(1, random.Next(2) == 0 ? 100 : 60_000) : 0;
        long value = random.Next(6) == 0 ? random.NextInt64() : random.Next(4) * 30_000;
        var words = new byte[kind == StripeFrameKind.Open ? random.Next(3) * 6 : random.Next(20)];
        var frame = new StripeFrame(kind) { Id = random.Next(30) == 0 ? random.NextInt64() : random.Next(1, 40), Value = kind == StripeFrameKind.Open ? random.Next(2) : value, Length = length, Reason = (ProxyErrorReason)random.Next(256), Words = words };
        var head = new byte[StripeFrameCodec.MaxLength];
        return [.. head[..StripeFrameCodec.Write(head, frame)], .. new byte[length]];
    }
}
