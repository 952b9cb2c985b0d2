using System.Buffers.Binary;
using System.Net;
using ProxyShell.Engine.Access;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>
/// Descriptor numbers are used again at once. Were one closed while somebody still used it, bytes would end up in somebody
/// else's connection: so every connection speaks in words of its own, while others are opened, relayed, ended and aborted.
/// </summary>
public class DescriptorChurnTests
{
    private const int Workers = 48;
    private const int Rounds = 60;

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task No_byte_reaches_another_connection(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint);
        int before = Descriptors.Count();
        using var over = new CancellationTokenSource();
        Task operators = Task.Run(() => AbortNowAndThen(listener, over.Token));

        int[] whole = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(sockets, listener.LocalPort, worker)))).Within(60);

        await over.CancelAsync();
        await operators.Within();
        await House.QuietAsync(listener);
        Assert.Equal(Workers * Rounds, listener.Counters.Accepted);
        Assert.True(whole.Sum() > Workers * Rounds / 10, $"only {whole.Sum()} connections lived to their end");
        await Deadline.Until(() => Descriptors.Count() <= before + 40, $"descriptors back to about {before}, now {Descriptors.Count()}");
    }

    private static async Task<int> WorkAsync(string sockets, int port, int worker)
    {
        var random = new Random(worker);
        int whole = 0;
        for (int round = 0; round < Rounds; round++)
        {
            DuplexConnection connection;
            try
            {
                connection = await Sockets.Of(sockets).ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), CancellationToken.None);
            }
            catch (ProxyException)
            {
                continue;
            }
            byte[] words = Words((worker * Rounds) + round, random.Next(1, 30_000));
            bool impatient = random.Next(2) == 0;
            Task abort = impatient ? AbortSoonAsync(connection, random.Next(300)) : Task.CompletedTask;
            if (await EchoesAsync(connection, words)) whole++;
            await abort;
            await connection.DisposeAsync();
        }
        return whole;
    }

    private static async Task<bool> EchoesAsync(DuplexConnection connection, byte[] words)
    {
        try
        {
            Task writing = Task.Run(async () =>
            {
                await connection.WriteAsync(words, CancellationToken.None);
                await connection.CompleteWritesAsync(CancellationToken.None);
            });
            var buffer = new byte[4096];
            int read = 0, count;
            while ((count = await connection.ReadAsync(buffer, CancellationToken.None).Within()) > 0)
            {
                Assert.True(buffer.AsSpan(0, count).SequenceEqual(words.AsSpan(read, Math.Min(count, words.Length - read))), "these are another connection's bytes");
                read += count;
            }
            await writing.Within();
            return read == words.Length;
        }
        catch (ProxyException)
        {
            return false;
        }
    }

    private static Task AbortSoonAsync(DuplexConnection connection, int yields) => Task.Run(async () =>
    {
        for (int i = 0; i < yields; i++) await Task.Yield();
        connection.Abort();
    });

    private static void AbortNowAndThen(AccessListener listener, CancellationToken over)
    {
        var random = new Random(99);
        while (!over.IsCancellationRequested)
        {
            IReadOnlyList<ProxyConnection> live = listener.GetConnections();
            if (live.Count > 0) live[random.Next(live.Count)].Abort();
            Thread.Yield();
            over.WaitHandle.WaitOne(1);
        }
    }

    private static byte[] Words(int id, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i + 8 <= length; i += 8)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i), id);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i + 4), i);
        }
        return bytes;
    }
}
