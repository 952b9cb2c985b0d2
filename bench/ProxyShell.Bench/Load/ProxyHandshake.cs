using System.Buffers.Binary;
using System.Text;
using ProxyShell.Bench.Peers;

namespace ProxyShell.Bench.Load;

/// <summary>What a client says to a proxy before the connection to an IPv4 loopback destination is its own.</summary>
/// <remarks>It waits for each answer before it goes on, as clients in the field do.</remarks>
internal static class ProxyHandshake
{
    private const int SocksReplySize = 10; // with an IPv4 address, RFC 1928 section 6

    internal static IReadOnlyList<Exchange> For(RelayService service, int destinationPort) => service switch
    {
        RelayService.Socks5 => Socks5(destinationPort),
        RelayService.HttpConnect => [HttpConnect(destinationPort)],
        _ => [],
    };

    private static Exchange[] Socks5(int destinationPort)
    {
        byte[] connect = [5, 1, 0, 1, 127, 0, 0, 1, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(connect.AsSpan(8), (ushort)destinationPort);
        return
        [
            new Exchange([5, 1, 0], received => FixedAnswer(received, [5, 0], size: 2)),
            new Exchange(connect, received => FixedAnswer(received, [5, 0, 0, 1], SocksReplySize)),
        ];
    }

    private static Exchange HttpConnect(int destinationPort)
    {
        string destination = $"127.0.0.1:{destinationPort}";
        byte[] request = Encoding.ASCII.GetBytes($"CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n\r\n");
        return new Exchange(request, HeadLength);
    }

    private static int FixedAnswer(ReadOnlySpan<byte> received, ReadOnlySpan<byte> start, int size)
    {
        if (received.Length < size)
            return 0;
        return received.StartsWith(start) ? size : Exchange.Refused;
    }

    private static int HeadLength(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return 0;
        bool granted = received.StartsWith("HTTP/1."u8) && received[8..].StartsWith(" 200"u8);
        return granted ? end + 4 : Exchange.Refused;
    }
}
