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

    public static EndPoint? Local(SocketDescriptor socket)
    {
        byte* address = stackalloc byte[MaxLength];
        uint length = MaxLength;
        return Libc.GetSockName(socket, address, &length) == 0 ? Read(address, length) : null;
    }

    private static int Port(byte* address) => (address[2] << 8) | address[3];
}
