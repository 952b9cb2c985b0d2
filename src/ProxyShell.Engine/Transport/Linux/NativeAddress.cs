using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Transport.Linux;

/// <summary>Socket addresses as the kernel writes them (sockaddr_in, sockaddr_in6, sockaddr_un).</summary>
internal static unsafe class NativeAddress
{
    public const int MaxLength = 128;

    public static int Family(EndPoint endpoint) => endpoint.AddressFamily switch
    {
        AddressFamily.InterNetwork => Libc.AF_INET,
        AddressFamily.InterNetworkV6 => Libc.AF_INET6,
        AddressFamily.Unix => Libc.AF_UNIX,
        _ => throw new SocketException((int)SocketError.AddressFamilyNotSupported),
    };

    public static EndPoint? Read(byte* address, uint length)
    {
        if (length < 2) return null;
        switch (*(ushort*)address)
        {
            case Libc.AF_INET:
                return new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)), Port(address));
            case Libc.AF_INET6:
                var ip = new IPAddress(new ReadOnlySpan<byte>(address + 8, 16), *(uint*)(address + 24));
                return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, Port(address));
            default:
                return null;
        }
    }

    /// <summary>The peer of a datagram; the address must be one of IPv4 or IPv6.</summary>
    public static DatagramPeer ReadPeer(byte* address, UInt128 local)
    {
        ushort port = (ushort)Port(address);
        return *(ushort*)address == Libc.AF_INET
            ? new DatagramPeer(DatagramPeer.Mapped(BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(address + 4, 4))), port, 0, local)
            : new DatagramPeer(BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(address + 8, 16)), port, *(uint*)(address + 24), local);
    }

    /// <summary>Writes a peer as sockets of the family take it; returns the length.</summary>
    public static uint Write(byte* address, int family, in DatagramPeer peer)
    {
        uint length = family == Libc.AF_INET ? 16u : 28u;
        new Span<byte>(address, (int)length).Clear();
        *(ushort*)address = (ushort)family;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), peer.Port);
        if (family == Libc.AF_INET)
        {
            BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(address + 4, 4), (uint)peer.Address);
        }
        else
        {
            BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(address + 8, 16), peer.Address);
            *(uint*)(address + 24) = peer.Scope;
        }
        return length;
    }

    public static EndPoint? Local(SocketDescriptor socket)
    {
        byte* address = stackalloc byte[MaxLength];
        uint length = MaxLength;
        return Libc.GetSockName(socket, address, &length) == 0 ? Read(address, length) : null;
    }

    private static int Port(byte* address) => (address[2] << 8) | address[3];
}
