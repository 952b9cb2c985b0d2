using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ProxyShell.Completion;

/// <summary>Offers the addresses of this machine.</summary>
public sealed class LocalAddressCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
    [
        ("127.0.0.1", "this machine only"),
        ("::1", "this machine only, IPv6"),
        ("*", "all addresses, IPv4 and IPv6"),
        ("0.0.0.0", "all IPv4 addresses"),
        ("unix:", "a Unix socket: unix:/path"),
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(network => network.OperationalStatus == OperationalStatus.Up && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(network => network.GetIPProperties().UnicastAddresses.Select(address => (address.Address, network.Name)))
            .Where(found => found.Address.AddressFamily == AddressFamily.InterNetwork || !found.Address.IsIPv6LinkLocal)
            .Select(found => (found.Address.ToString(), found.Name)),
    ];
}
