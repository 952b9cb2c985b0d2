using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Chains;
using ProxyShell.Jobs;

namespace ProxyShell.Completion;

/// <summary>Offers the names of this module's jobs.</summary>
public sealed class JobNameCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        SessionJobs.OfProcess().Select(job => (job.Name, $"{job.PSJobTypeName}, {job.StatusMessage}"));
}

/// <summary>Offers the ids of open connections.</summary>
public sealed class ConnectionIdCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        SessionJobs.OfProcess().SelectMany(job => job.Service.GetConnections()).OrderBy(connection => connection.Id).Select(connection =>
            (connection.Id.ToString(CultureInfo.InvariantCulture), $"{connection.Service}: {connection.Client} to {connection.Destination}"));
}

/// <summary>Offers the URIs of running proxy servers and the schemes of hop URIs.</summary>
public sealed class HopUriCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
        [.. SessionJobs.OfProcess().OfType<ProxyServerJob>().Select(job => (job.Uri, job.Name)), .. ProxyHop.Schemes.Select(Scheme)];

    private static (string Value, string Tip) Scheme(string scheme) => scheme switch
    {
        "relay" => ("relay://", "a proxy server over TCP: relay://[key@]host:port"),
        "relays" => ("relays://", "a proxy server over TLS: relays://[key@]host:port[?thumbprint=...]"),
        "relay+unix" => ("relay+unix:", "a proxy server on a Unix socket: relay+unix:/path"),
        _ => (scheme + "://", scheme),
    };
}

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

/// <summary>Offers the certificates with private keys in the user's store, by thumbprint.</summary>
public sealed class CertificateCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates()
    {
        try
        {
            using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return [.. store.Certificates.Where(certificate => certificate.HasPrivateKey).Select(certificate => (certificate.Thumbprint, certificate.Subject))];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }
}
