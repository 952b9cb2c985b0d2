using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Serving;

/// <summary>
/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address. A /64 is what one site's link gets (RFC 4291 §2.5.4), and
/// its hosts choose addresses in it as they like (RFC 8981), so a single address would limit nobody.
/// </summary>
internal readonly record struct ClientKey
{
    private const ulong MappedPrefix = 0xFFFF_0000_0000;

    private readonly UInt128 _value;

    private ClientKey(UInt128 value) => _value = value;

    /// <summary>The key of a client; null for one without an address (a Unix socket).</summary>
    public static ClientKey? Of(EndPoint? client)
    {
        if (client is not IPEndPoint { Address: var address }) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new ClientKey(MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : new ClientKey(new UInt128(BinaryPrimitives.ReadUInt64BigEndian(bytes), 0));
    }

    /// <summary>The address, or the network as <c>2001:db8::/64</c>.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _value);
        return _value >> 32 == MappedPrefix >> 32 ? new IPAddress(bytes[12..]).ToString() : $"{new IPAddress(bytes)}/64";
    }
}
