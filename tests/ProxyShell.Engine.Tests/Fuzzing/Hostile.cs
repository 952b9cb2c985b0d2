using System.Buffers.Binary;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Tests.Protocols;

namespace ProxyShell.Engine.Tests.Fuzzing;

/// <summary>Bytes that no friend would send, the same for the same seed.</summary>
internal static class Hostile
{
    private static readonly byte[][] Headers =
    [
        RelayCodecTests.Written("request, clear, IPv4"),
        RelayCodecTests.Written("request, clear, name over TLS with thumbprint"),
        RelayCodecTests.Written("request, clear, Unix socket"),
        RelayCodecTests.Written("request, clear, probe"),
        RelayCodecTests.Written("request, sealed, IPv6"),
        RelayCodecTests.Written("response, clear, ok"),
    ];

    /// <summary>The key of the published vectors, so that their seals open.</summary>
    public static ProxyKey Key { get; } = ProxyKey.FromBytes([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    public static byte[] Make(Random random) => random.Next(10) switch
    {
        0 => [],
        1 => Random(random, random.Next(1, 64)),
        2 => Random(random, random.Next(64, 20_000)),
        3 => [RelayFrame.FirstByte, RelayFrame.RequestByte, RelayFrame.Version, (byte)random.Next(2), .. Random(random, random.Next(0, 6000))],
        4 or 5 => Cut(random, Header(random)),
        6 or 7 => Mutated(random, Header(random)),
        8 => [.. Header(random), .. Random(random, random.Next(1, 5000))],
        _ => WithLength(Header(random), random.Next(5) switch { 0 => 0, 1 => 65535, 2 => 4091, 3 => 4090, _ => random.Next(65536) }),
    };

    public static byte[] Header(Random random) => Headers[random.Next(Headers.Length)];

    /// <summary>A clear request header around an address as it stands.</summary>
    public static byte[] Request(byte transport, byte kind, params byte[] address)
    {
        byte[] body = [0, 0, 1, 0x9b, 0, 0, 0, 0, (byte)RelayCommand.Connect, transport, kind, .. address];
        byte[] header = [RelayFrame.FirstByte, RelayFrame.RequestByte, RelayFrame.Version, 0, 0, 0, .. new byte[ProxyKey.IdLength], .. new byte[15], 7, .. body];
        return WithLength(header, header.Length - RelayFrame.FrontLength);
    }

    /// <summary>A text with its length before it.</summary>
    public static byte[] Text(byte[] text, params byte[] after) => [(byte)text.Length, .. text, .. after];

    private static byte[] Cut(Random random, byte[] header) => header[..random.Next(header.Length)];

    private static byte[] Mutated(Random random, byte[] header)
    {
        byte[] bytes = [.. header];
        for (int i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] WithLength(byte[] header, int length)
    {
        byte[] bytes = [.. header];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), (ushort)length);
        return bytes;
    }

    private static byte[] Random(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
