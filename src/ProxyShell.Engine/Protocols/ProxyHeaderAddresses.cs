using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace ProxyShell.Engine.Protocols;

/// <summary>The addresses of a connection as a PROXY header tells them: both of one family, IPv4 wherever they can be.</summary>
internal static class ProxyHeaderAddresses
{
    /// <summary>Brings both to one family; false when they are no IP addresses.</summary>
    public static bool TryPair(ProxyHeader header, [NotNullWhen(true)] out IPEndPoint? source, [NotNullWhen(true)] out IPEndPoint? destination)
    {
        (source, destination) = (header.Source as IPEndPoint, header.Destination as IPEndPoint);
        if (!header.TellsAddresses || source is null || destination is null) return false;
        (source, destination) = (Plain(source), Plain(destination));
        if (source.AddressFamily == destination.AddressFamily) return true;
        (source, destination) = (Mapped(source), Mapped(destination));
        return true;
    }

    // a scope means something on this machine only
    private static IPEndPoint Plain(IPEndPoint endpoint)
    {
        IPAddress address = endpoint.Address;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        else if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0) address = new IPAddress(address.GetAddressBytes());
        return new IPEndPoint(address, endpoint.Port);
    }

    private static IPEndPoint Mapped(IPEndPoint endpoint) => new(endpoint.Address.MapToIPv6(), endpoint.Port);
}
