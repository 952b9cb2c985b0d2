using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>SOCKS conversations that no friend would hold, the same for the same seed.</summary>
internal static class HostileSocks
{
    /// <summary>Makes one; what is well formed in it leads to this port.</summary>
    public static byte[] Make(Random random, int port)
    {
        byte[] friendly = Friendly(random, new HostEndpoint(random.Next(3) == 0 ? "::1" : "127.0.0.1", port));
        return random.Next(8) switch
        {
            0 => [(byte)random.Next(4, 6), .. Random(random, random.Next(0, 64))],
            1 => [4, 1, .. Random(random, random.Next(500, 20_000)).Select(b => b == 0 ? (byte)1 : b)],
            2 => [5, 255, .. Random(random, random.Next(0, 2000))],
            3 => friendly[..random.Next(friendly.Length)],
            4 => [.. friendly, .. Random(random, random.Next(1, 5000))],
            _ => Mutated(random, friendly),
        };
    }

    private static byte[] Friendly(Random random, HostEndpoint address) => random.Next(6) switch
    {
        0 => SocksTalk.Request4(1, address, "fred"),
        1 => SocksTalk.Request4(1, new HostEndpoint("localhost", address.Port), ""),
        2 => [5, 1, 0, .. SocksTalk.Request(3, address)],
        3 => [5, 1, 2, .. SocksTalk.Credential("ann", "secret"), .. SocksTalk.Request(1, address)],
        4 => [5, 2, 0, 2, .. SocksTalk.Credential("ann", "secret"), .. SocksTalk.Request(1, new HostEndpoint("localhost", address.Port))],
        _ => [5, 1, 0, .. SocksTalk.Request(1, address)],
    };

    private static byte[] Mutated(Random random, byte[] friendly)
    {
        byte[] bytes = [.. friendly];
        for (int i = random.Next(1, 5); i > 0; i--) bytes[random.Next(1, bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] Random(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
