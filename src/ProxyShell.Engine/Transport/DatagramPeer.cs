using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// Whom a datagram came from: address and port, and the address of this machine that it was sent to, where the socket can tell
/// (a socket that is bound to all addresses must answer from that one). Addresses are kept in their IPv6 form.
/// </summary>
internal readonly record struct DatagramPeer(UInt128 Address, ushort Port, uint Scope, UInt128 Local)
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xFFFF << 32;

    public bool IsIPv4 => (Address >> 32) == 0xFFFF;

    public static DatagramPeer From(IPEndPoint endpoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endpoint.Address.TryWriteBytes(bytes, out int length);
        bool isIPv4 = length == 4;
        UInt128 address = isIPv4 ? Mapped(BinaryPrimitives.ReadUInt32BigEndian(bytes)) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return new DatagramPeer(address, (ushort)endpoint.Port, isIPv4 ? 0 : (uint)endpoint.Address.ScopeId, UInt128.Zero);
    }

    /// <summary>The IPv6 form of an IPv4 address (RFC 4291 §2.5.5.2).</summary>
    public static UInt128 Mapped(uint address) => MappedPrefix | address;

    public IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Address);
        return new IPEndPoint(IsIPv4 ? new IPAddress(bytes[12..]) : new IPAddress(bytes, Scope), Port);
    }

    /// <summary>The address as a socket of this family takes it.</summary>
    public IPEndPoint ToEndPoint(AddressFamily family)
    {
        IPEndPoint endpoint = ToEndPoint();
        return family == AddressFamily.InterNetworkV6 && IsIPv4 ? new IPEndPoint(endpoint.Address.MapToIPv6(), Port) : endpoint;
    }

    public override string ToString() => ToEndPoint().ToString();
}
