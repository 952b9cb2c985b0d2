using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>The reply of version 4: VN (1 byte, 0) CD (1) DSTPORT (2) DSTIP (4). An IPv6 address has no place in it and is not told.</summary>
internal static class Socks4ReplyCodec
{
    public const int Length = 8;

    /// <summary>Request granted.</summary>
    public const byte Granted = 90;

    /// <summary>Request rejected or failed.</summary>
    public const byte Rejected = 91;

    /// <summary>Rejected because of the user, who in version 4 cannot show a password.</summary>
    public const byte UserRejected = 93;

    /// <summary>Writes a reply of <see cref="Length"/> bytes.</summary>
    public static void Write(Span<byte> output, byte code, IPEndPoint? bound)
    {
        IPAddress address = bound?.Address ?? IPAddress.Any;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        bool told = address.AddressFamily == AddressFamily.InterNetwork;
        var writer = new SpanWriter(output);
        writer.Byte(0);
        writer.Byte(code);
        writer.UInt16(bound?.Port ?? 0);
        writer.Bytes((told ? address : IPAddress.Any).GetAddressBytes());
    }

    /// <summary>Reads a whole reply; false when it is none of version 4.</summary>
    public static bool TryRead(ReadOnlySpan<byte> reply, out byte code, out IPEndPoint bound)
    {
        (code, bound) = (reply[1], new IPEndPoint(new IPAddress(reply[4..Length]), (reply[2] << 8) | reply[3]));
        return reply[0] == 0;
    }
}
