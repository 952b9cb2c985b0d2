using System.Collections.Concurrent;
using System.Security.Cryptography;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>
/// Random lives of channels between two sessions, many at once and from both sides: each sends random bytes and ends in one of the ways there are.
/// What a life does follows from its number, so that both ends know it. The bench uses it too, for longer.
/// </summary>
internal sealed class SessionSoak(MultiplexedSession near, MultiplexedSession far)
{
    private const int LivesPerSample = 100;

    // a machine that tests much at once is slow, but a channel that hangs hangs for good
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    private readonly List<WeakReference> _samples = [];
    private readonly ConcurrentBag<int> _wrong = [];
    private int _begun;
    private long _bytes;

    /// <summary>Lives that have begun.</summary>
    public int Lives => Volatile.Read(ref _begun);

    /// <summary>Bytes that came back with the right checksum.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Channels of former lives, a sample, that are still in memory.</summary>
    public int Leaked
    {
        get
        {
            GC.Collect();
            lock (_samples) return _samples.Count(sample => sample.IsAlive);
        }
    }

    /// <summary>Keeps so many channels alive until it is told to stop, and waits until all are closed. Any wrong byte, failure or hang fails it.</summary>
    /// <param name="channels">How many lives go on at once.</param>
    /// <param name="goesOn">Whether another life begins, asked with its number.</param>
    public async Task RunAsync(int channels, Func<int, bool> goesOn)
    {
        await Task.WhenAll(Enumerable.Range(0, channels).Select(_ => Task.Run(() => LiveOnAsync(goesOn))));
        using var limit = new CancellationTokenSource(LongestWait);
        // looked at a few times a second: nobody is told of the last word on a channel
        while (near.ChannelCount + far.ChannelCount > 0) await Task.Delay(20, limit.Token);
        if (!_wrong.IsEmpty) throw new InvalidDataException($"life {_wrong.First()}: other bytes came than were sent");
    }

    /// <summary>Serves the lives that the other side begins, until the session is over.</summary>
    public async Task ServeAsync(MultiplexedSession session)
    {
        try
        {
            while (true) _ = ServeAsync(await session.NextOfferAsync(CancellationToken.None));
        }
        catch (ProxyException)
        {
            // the session is over
        }
    }

    private async Task LiveOnAsync(Func<int, bool> goesOn)
    {
        for (int number; goesOn(number = Interlocked.Increment(ref _begun));)
        {
            var life = new SoakLife(number);
            try
            {
                await LiveAsync(life, number % 2 == 0 ? near : far);
            }
            catch (ProxyException e) when (life.IsCutShort)
            {
                _ = e; // by the other side, as it was meant
            }
        }
        Interlocked.Decrement(ref _begun);
    }

    private async Task LiveAsync(SoakLife life, MultiplexedSession session)
    {
        await using SessionChannel channel = await session.OfferAsync(life.Name, CancellationToken.None).WaitAsync(LongestWait);
        if (life.Number % LivesPerSample == 0)
        {
            lock (_samples) _samples.Add(new WeakReference(channel));
        }
        if (life.ClosesAtOnce) return;
        Task sending = SendAsync(channel, life);
        if (life.IsAborted) channel.Abort();
        else Check(await ReadAsync(channel), life.IsKept ? [] : life.Content, life);
        await sending;
    }

    private void Check(byte[] got, byte[] expected, SoakLife life)
    {
        if (!SHA256.HashData(got).AsSpan().SequenceEqual(SHA256.HashData(expected))) throw new InvalidDataException($"life {life.Number}: {got.Length} bytes came, which are not the {expected.Length} expected");
        Interlocked.Add(ref _bytes, got.Length);
    }

    private static async Task SendAsync(SessionChannel channel, SoakLife life)
    {
        var pieces = new Random(life.Number);
        ReadOnlyMemory<byte> rest = life.Content;
        try
        {
            while (!rest.IsEmpty)
            {
                int count = Math.Min(rest.Length, pieces.Next(1, 50_000));
                await channel.WriteAsync(rest[..count], CancellationToken.None).AsTask().WaitAsync(LongestWait);
                rest = rest[count..];
            }
            await channel.CompleteWritesAsync(CancellationToken.None);
        }
        catch (ProxyException)
        {
            // aborted, by this side or the other; who reads is told
        }
    }

    private async Task ServeAsync(ChannelOffer offer)
    {
        var life = SoakLife.Of(offer.Name);
        try
        {
            if (life.IsRejected)
            {
                offer.Reject(new ProxyException(ProxyErrorReason.Forbidden, ProxyStage.Relay));
                return;
            }
            await using SessionChannel channel = offer.Accept();
            if (life.IsKept) await KeepAsync(channel, life);
            else await EchoAsync(channel, life);
        }
        catch (ProxyException)
        {
            // the other side has ended it
        }
    }

    private static async Task EchoAsync(SessionChannel channel, SoakLife life)
    {
        var buffer = new byte[10_000];
        int count;
        while ((count = await channel.ReadAsync(buffer, CancellationToken.None)) > 0)
        {
            await channel.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
            if (life.IsAbortedByPeer) channel.Abort();
        }
        await channel.CompleteWritesAsync(CancellationToken.None);
    }

    // its direction ends first, so there is no telling the other side what came of it
    private async Task KeepAsync(SessionChannel channel, SoakLife life)
    {
        await channel.CompleteWritesAsync(CancellationToken.None);
        byte[] got = await ReadAsync(channel);
        if (!life.IsAborted && !life.ClosesAtOnce && !got.AsSpan().SequenceEqual(life.Content)) _wrong.Add(life.Number);
    }

    private static async Task<byte[]> ReadAsync(SessionChannel channel)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await channel.ReadAsync(buffer, CancellationToken.None).AsTask().WaitAsync(LongestWait)) > 0) all.Write(buffer, 0, count);
        return all.ToArray();
    }
}
