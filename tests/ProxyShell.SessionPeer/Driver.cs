using System.Security.Cryptography;
using System.Text;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols.Multiplexing;
using ProxyShell.Engine.Sessions;

namespace ProxyShell.SessionPeer;

/// <summary>Offers channels and checks what comes of them.</summary>
internal sealed class Driver(MultiplexedSession session, SessionOptions options)
{
    private bool HasTexts => options.Version != MultiplexingVersion.V1;

    public async Task<bool> RunAsync()
    {
        bool tiny = options.Window < 1000;
        return await CheckAsync("a named channel", () => EchoAsync("echo", 100_000))
            && await CheckAsync("an anonymous channel", AnonymousAsync)
            && await CheckAsync("bulk each way at once", () => BulkAsync(tiny ? 300_000 : 1 << 20, tiny ? 1 : 64))
            && await CheckAsync("half-close", HalfCloseAsync)
            && await CheckAsync("rejection", RejectionAsync)
            && await CheckAsync("cancellation", CancellationAsync)
            && await CheckAsync("error text", ErrorTextAsync)
            && await CheckAsync("1,000 channels", () => Task.WhenAll(Enumerable.Range(0, 1000).Select(i => EchoAsync("echo", i))))
            && (options.SeededChannels == 0 || await CheckAsync("seeded channels", SeededAsync))
            && await CheckAsync("nothing left open", EmptyAsync);
    }

    private static async Task<bool> CheckAsync(string name, Func<Task> check)
    {
        try
        {
            await check().WaitAsync(TimeSpan.FromSeconds(60));
            Console.WriteLine(name);
            return true;
        }
        catch (Exception e)
        {
            Console.WriteLine($"{name}: {e}");
            return false;
        }
    }

    private async Task EchoAsync(string name, int length) => await EchoAsync(await session.OfferAsync(name, CancellationToken.None), length);

    private static async Task EchoAsync(SessionChannel channel, int length)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(length);
        Task sending = Channels.SendAsync(channel, sent);
        Equal(Convert.ToHexString(sent), Convert.ToHexString(await Channels.ReadToEndAsync(channel)));
        await sending;
    }

    private async Task AnonymousAsync()
    {
        SessionChannel anonymous = session.Offer("");
        SessionChannel numbers = await session.OfferAsync("number", CancellationToken.None);
        await Channels.SendAsync(numbers, $"{anonymous.Id.Number}");
        Equal("accepted", Encoding.ASCII.GetString(await Channels.ReadToEndAsync(numbers)));
        await EchoAsync(anonymous, 5000);
    }

    private async Task BulkAsync(int length, int times)
    {
        byte[] part = RandomNumberGenerator.GetBytes(length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < times; i++) hash.AppendData(part);
        SessionChannel channel = await session.OfferAsync("echo", CancellationToken.None);
        Task sending = Channels.SendAsync(channel, part, times);
        Equal(Convert.ToHexStringLower(hash.GetHashAndReset()), await Channels.SumAsync(channel));
        await sending;
    }

    private async Task HalfCloseAsync()
    {
        byte[] sent = RandomNumberGenerator.GetBytes(70_000);
        SessionChannel channel = await session.OfferAsync("sum", CancellationToken.None);
        await Channels.SendAsync(channel, sent);
        Equal(Convert.ToHexStringLower(SHA256.HashData(sent)), Encoding.ASCII.GetString(await Channels.ReadToEndAsync(channel)));
    }

    private async Task RejectionAsync()
    {
        try
        {
            await session.OfferAsync("reject", CancellationToken.None);
        }
        catch (ProxyException e)
        {
            Equal("the peer rejected the channel", e.Message[..Math.Min(e.Message.Length, 29)]);
            return;
        }
        throw new InvalidOperationException("it was accepted");
    }

    private async Task CancellationAsync()
    {
        using var cancel = new CancellationTokenSource(50);
        try
        {
            await session.OfferAsync("never", cancel.Token);
        }
        catch (OperationCanceledException)
        {
            await EchoAsync("echo", 10);
            return;
        }
        throw new InvalidOperationException("it was accepted");
    }

    private async Task ErrorTextAsync()
    {
        SessionChannel channel = await session.OfferAsync("fail", CancellationToken.None);
        try
        {
            await Channels.ReadToEndAsync(channel);
        }
        catch (ProxyException e)
        {
            if (HasTexts && !e.Message.EndsWith("ran out of paper", StringComparison.Ordinal)) throw new InvalidOperationException(e.Message);
            return;
        }
        throw new InvalidOperationException("it ended in order");
    }

    private async Task SeededAsync()
    {
        await EchoAsync(session.Seeded(0), 1000);
        await EchoAsync(session.Seeded(1), 30_000);
    }

    private async Task EmptyAsync()
    {
        for (int i = 0; session.ChannelCount > 0; i++)
        {
            if (i == 1000) throw new InvalidOperationException($"{session.ChannelCount} channels are open");
            await Task.Delay(10);
        }
    }

    private static void Equal(string expected, string got)
    {
        if (expected != got) throw new InvalidOperationException($"got {got.Length} characters '{got[..Math.Min(50, got.Length)]}', not {expected.Length} '{expected[..Math.Min(50, expected.Length)]}'");
    }
}
