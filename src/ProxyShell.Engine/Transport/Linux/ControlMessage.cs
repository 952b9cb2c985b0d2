using System.Buffers.Binary;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>
/// The one control message (struct cmsghdr: length 8, level 4, type 4, data) that goes with a datagram: which address of this machine
/// it was sent to or shall leave from (ip(7) IP_PKTINFO, RFC 3542 §6.1), or how a send is cut into datagrams (udp(7) UDP_SEGMENT).
/// </summary>
internal static unsafe class ControlMessage
{
    /// <summary>Room for any of them.</summary>
    public const int MaxLength = 64;

    private const int HeadLength = 16;

    /// <summary>The local address of a received datagram in its IPv6 form; zero when the system did not tell.</summary>
    public static UInt128 ReadLocal(byte* control, nint length)
    {
        if (length < HeadLength + 12) return UInt128.Zero;
        int level = *(int*)(control + 8), type = *(int*)(control + 12);
        if (level == Libc.IPPROTO_IP && type == Libc.IP_PKTINFO) return DatagramPeer.Mapped(BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(control + HeadLength + 4, 4)));
        if (level != Libc.IPPROTO_IPV6 || type != Libc.IPV6_PKTINFO || length < HeadLength + 20) return UInt128.Zero;
        // nothing can be sent from a multicast address
        return control[HeadLength] == 0xFF ? UInt128.Zero : BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(control + HeadLength, 16));
    }

    /// <summary>Writes the local address to send from; returns the length with padding.</summary>
    public static int WriteLocal(byte* control, int family, UInt128 local)
    {
        bool isIPv4 = family == Libc.AF_INET;
        byte* data = WriteHead(control, isIPv4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6, isIPv4 ? Libc.IP_PKTINFO : Libc.IPV6_PKTINFO, isIPv4 ? 12 : 20);
        new Span<byte>(data, 24).Clear();
        if (isIPv4) BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(data + 4, 4), (uint)local);
        else BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(data, 16), local);
        return HeadLength + (isIPv4 ? 16 : 24);
    }

    /// <summary>Writes how long each datagram is that a send is cut into; returns the length with padding.</summary>
    public static int WriteSegment(byte* control, int length)
    {
        *(ushort*)WriteHead(control, Libc.IPPROTO_UDP, Libc.UDP_SEGMENT, sizeof(ushort)) = (ushort)length;
        return HeadLength + 8;
    }

    private static byte* WriteHead(byte* control, int level, int type, int length)
    {
        *(nint*)control = HeadLength + length;
        *(int*)(control + 8) = level;
        *(int*)(control + 12) = type;
        return control + HeadLength;
    }
}
