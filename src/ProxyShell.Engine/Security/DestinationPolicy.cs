using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Security;

/// <summary>
/// Which destinations a service may connect to. Deny patterns come first; when there are allow patterns, one must match;
/// a guarded service (one that does not listen on loopback) also refuses loopback, unspecified, link-local, multicast and
/// broadcast addresses and Unix sockets unless an allow pattern other than <c>*</c> names them.
/// </summary>
public sealed class DestinationPolicy
{
    private readonly DestinationPattern[] _allow;
    private readonly DestinationPattern[] _deny;
    private readonly bool _guarded;
    private readonly IAddressVeto? _veto;

    /// <summary>Makes a policy.</summary>
    public DestinationPolicy(IEnumerable<DestinationPattern> allow, IEnumerable<DestinationPattern> deny, bool guarded) =>
        (_allow, _deny, _guarded) = ([.. allow], [.. deny], guarded);

    private DestinationPolicy(DestinationPolicy policy, IAddressVeto veto) =>
        (_allow, _deny, _guarded, _veto) = (policy._allow, policy._deny, policy._guarded, veto);

    /// <summary>Allows everything; for services whose destination the operator fixed.</summary>
    public static DestinationPolicy AllowAll { get; } = new([], [], guarded: false);

    /// <summary>The addresses out of <paramref name="addresses"/>, to which the host resolved, that may be connected to.</summary>
    public IPAddress[] Filter(HostEndpoint destination, IReadOnlyList<IPAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return [.. addresses.Where(address => Allows(destination, address))];
    }

    /// <summary>Whether the destination may be connected to at this address.</summary>
    public bool Allows(HostEndpoint destination, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(address);
        if (_veto?.Objection(destination, address) is not null || Array.Exists(_deny, Matches)) return false;
        if (_guarded && IsLocal(address)) return Array.Exists(_allow, p => !p.MatchesEveryHost && Matches(p));
        return _allow.Length == 0 || Array.Exists(_allow, Matches);

        bool Matches(DestinationPattern pattern) =>
            pattern.Matches(destination.Host, destination.Port) || pattern.Matches(address, destination.Port);
    }

    /// <summary>Whether the destination may be asked of the next hop, which resolves its name by its own lights.</summary>
    public bool AllowsUnresolved(HostEndpoint destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (destination.Address is { } literal) return Allows(destination, literal);
        if (DeniesName(destination)) return false;
        return _allow.Length == 0 || Array.Exists(_allow, p => p.Matches(destination.Host, destination.Port));
    }

    /// <summary>Whether the host as it is written is denied, whatever it resolves to.</summary>
    internal bool DeniesName(HostEndpoint destination) => Array.Exists(_deny, p => p.Matches(destination.Host, destination.Port));

    /// <summary>The same policy with one more that is asked about every address, the ones that names resolve to included.</summary>
    internal DestinationPolicy With(IAddressVeto veto) => new(this, veto);

    /// <summary>Why the address may not be connected to, when there is more to say than that this policy forbids it; else null.</summary>
    internal string? Objection(HostEndpoint destination, IPAddress address) => _veto?.Objection(destination, address);

    /// <summary>Whether a Unix socket may be connected to: only by a service that is not guarded and has no allow patterns.</summary>
    public bool AllowsUnixSockets => !_guarded && _allow.Length == 0;

    /// <summary>Whether the address means this machine or everybody near it.</summary>
    public static bool IsLocal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (Embedded(address) is { } inner) return IsLocal(inner);
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.IPv6Any)) return true;
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return address.IsIPv6LinkLocal || address.IsIPv6Multicast;
        byte[] b = address.GetAddressBytes();
        // RFC 6890: 0/8 "this host", 127/8 loopback, 169.254/16 link-local; RFC 5771: 224/4 multicast; 255.255.255.255 broadcast
        return b[0] is 0 or 127 || (b[0] == 169 && b[1] == 254) || b[0] is >= 224 and <= 239 || address.Equals(IPAddress.Broadcast);
    }

    // IPv4 addresses come in IPv6 clothes: mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), NAT64 (RFC 6052), 6to4 (RFC 3056)
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        byte[] b = address.GetAddressBytes();
        if (b.AsSpan(0, 12).SequenceEqual((ReadOnlySpan<byte>)[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0])) return new IPAddress(b.AsSpan(12));
        if (b[0] == 0x20 && b[1] == 0x02) return new IPAddress(b.AsSpan(2, 4));
        bool compatible = !b.AsSpan(0, 12).ContainsAnyExcept((byte)0) && (b[12] | b[13]) != 0;
        return compatible ? new IPAddress(b.AsSpan(12)) : null;
    }
}
