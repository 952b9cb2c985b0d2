using ProxyShell.Engine.Access;
using ProxyShell.Engine.Protocols;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Bad PROXY headers, and none at all, before a listener that requires one.</summary>
public class ProxyHeaderFuzzing
{
    private const int Attacks = 300;

    private static readonly byte[][] Headers =
    [
        [.. "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"u8],
        [.. "PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n"u8],
        [.. ProxyHeaderV2.Signature, 0x21, 0x11, 0, 19, 192, 0, 2, 7, 198, 51, 100, 1, 0, 80, 1, 187, 4, 0, 4, 1, 2, 3, 4],
        [.. ProxyHeaderV2.Signature, 0x20, 0, 0, 0],
    ];

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Bad_headers_leave_nothing_behind(string sockets)
    {
        await using Origin origin = Origin.Echo();
        await using var house = new House(sockets);
        AccessListener listener = await house.ListenAsync(origin.Endpoint, change: o => o with
        {
            AcceptProxyProtocol = true,
            HandshakeTimeout = TimeSpan.FromMilliseconds(500),
            IdleTimeout = TimeSpan.FromMilliseconds(500),
            EventCapacity = 5000,
        });
        using var aftermath = new Aftermath(listener);
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            int number;
            while ((number = Interlocked.Increment(ref next)) <= Attacks) await AttackAsync(listener.LocalPort, new Random(number));
        }))).Within(60);
        await aftermath.AssertCleanAsync(Attacks);
    }

    private static async Task AttackAsync(int port, Random random)
    {
        byte[] bytes = [.. Headers[random.Next(Headers.Length)], .. "payload"u8];
        for (int i = random.Next(4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (random.Next(3) == 0) bytes = bytes[..random.Next(bytes.Length)];
        try
        {
            using Client client = await Client.ConnectAsync(port);
            foreach (byte[] part in bytes.Chunk(random.Next(2) == 0 ? 5 : 1000)) await client.SendAsync(part);
            if (random.Next(2) == 0) client.EndSending();
            if (random.Next(4) == 0) client.Reset();
            else await client.ReadToEndAsync();
        }
        catch (System.Net.Sockets.SocketException)
        {
            // thrown out early
        }
    }
}
