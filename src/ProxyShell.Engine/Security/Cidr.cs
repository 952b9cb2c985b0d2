using System.Globalization;
using System.Net;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Networks in the notation of RFC 4632 and RFC 4291 §2.3, and single addresses as networks of one. IPv4 addresses mapped into IPv6
/// (::ffff:192.0.2.7) are the IPv4 addresses they stand for, on both sides of every comparison.
/// </summary>
internal static class Cidr
{
    // the length of ::ffff:0:0/96
    private const int MappedPrefix = 96;

    /// <summary>Reads <c>10.0.0.0/8</c>, <c>2001:db8::/32</c> or a single address; bits below the prefix say nothing.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        network = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out IPAddress? address)) return false;
        byte[] bytes = address.GetAddressBytes();
        int prefix = bytes.Length * 8;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > bytes.Length * 8)) return false;
        for (int bit = prefix; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        var first = new IPAddress(bytes);
        network = first.IsIPv4MappedToIPv6 && prefix >= MappedPrefix ? new IPNetwork(first.MapToIPv4(), prefix - MappedPrefix) : new IPNetwork(first, prefix);
        return true;
    }

    /// <summary>Whether the address is in the network.</summary>
    public static bool Holds(IPNetwork network, IPAddress address) => network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
