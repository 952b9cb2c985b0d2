using System.Net.Sockets;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>One bad client: sends its bytes in its own way and leaves in its own way. Every wait of it has an end.</summary>
internal sealed class Attacker(int port, Random random, Func<Random, byte[]> make)
{
    private enum Manner
    {
        Close,
        Reset,
        HalfClose,
        Hang,
    }

    public async Task RunAsync()
    {
        byte[] bytes = make(random);
        // most leave by themselves; those who hang are thrown out, which takes the time limit
        Manner manner = random.Next(12) switch { 0 => Manner.Hang, < 4 => Manner.Reset, < 8 => Manner.HalfClose, _ => Manner.Close };
        try
        {
            using Client client = await Client.ConnectAsync(port);
            foreach (byte[] part in bytes.Chunk(random.Next(3) == 0 ? 7 : 100_000)) await client.SendAsync(part);
            if (manner == Manner.HalfClose) client.EndSending();
            if (manner is Manner.HalfClose or Manner.Hang) await client.ReadToEndAsync(seconds: 20);
            if (manner == Manner.Reset) client.Reset();
        }
        catch (SocketException)
        {
            // thrown out early: on a busy machine before it has seen that it is connected
        }
    }

    /// <summary>So many attacks, a few dozen at a time.</summary>
    public static async Task AttackAsync(int port, int count, int seed, Func<Random, byte[]>? make = null)
    {
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, 48).Select(_ => Task.Run(async () =>
        {
            int number;
            while ((number = Interlocked.Increment(ref next)) <= count) await new Attacker(port, new Random((seed * 100_003) + number), make ?? Hostile.Make).RunAsync();
        }))).Within(120);
    }
}
