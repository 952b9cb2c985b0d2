using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Transport;

/// <summary>Connects to transport addresses. Errors say why, without naming the address: the caller knows what it stands for.</summary>
internal sealed partial class Dialer(SocketTransport sockets, NameResolver names)
{
    public static Dialer Default { get; } = new(SocketTransport.Default, NameResolver.Default);

    /// <summary>Connects, with TLS where the address says so; the certificate is for servers that ask for one.</summary>
    public async ValueTask<DuplexConnection> DialAsync(
        TransportAddress address, DestinationPolicy policy, TlsTrust trust, string? serverName, X509Certificate2? certificate, CancellationToken cancellationToken)
    {
        if (address.Path is { } path)
        {
            if (!policy.AllowsUnixSockets) throw Forbidden();
            return await sockets.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
        }
        HostEndpoint endpoint = address.Endpoint!;
        DuplexConnection connection = await DialTcpAsync(endpoint, policy, cancellationToken).ConfigureAwait(false);
        return address.Kind == TransportKind.Tls
            ? await TlsTransport.ConnectAsync(connection, trust, serverName ?? endpoint.Host, certificate, cancellationToken).ConfigureAwait(false)
            : connection;
    }

    private ValueTask<DuplexConnection> DialTcpAsync(HostEndpoint endpoint, DestinationPolicy policy, CancellationToken cancellationToken)
    {
        if (endpoint.Address is not { } literal) return DialNameAsync(endpoint, policy, cancellationToken);
        if (!policy.Allows(endpoint, literal)) throw Forbidden(policy.Objection(endpoint, literal));
        return sockets.ConnectAsync(new IPEndPoint(literal, endpoint.Port), cancellationToken);
    }

    private async ValueTask<DuplexConnection> DialNameAsync(HostEndpoint endpoint, DestinationPolicy policy, CancellationToken cancellationToken)
    {
        // a forbidden name is not even asked for: the question would tell strangers, and its failure would be told instead
        if (policy.DeniesName(endpoint)) throw Forbidden();
        IPAddress[] resolved = await names.ResolveAsync(endpoint, cancellationToken).ConfigureAwait(false);
        // the policy sees what is really dialled, so that a name cannot point to a forbidden address
        IPAddress[] addresses = policy.Filter(endpoint, resolved);
        if (addresses.Length == 0) throw Forbidden(policy.Objection(endpoint, resolved[0]));
        return addresses.Length == 1
            ? await sockets.ConnectAsync(new IPEndPoint(addresses[0], endpoint.Port), cancellationToken).ConfigureAwait(false)
            : await new DialRace(sockets, addresses, endpoint.Port).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private static ProxyException Forbidden(string? why = null) => new(ProxyErrorReason.Forbidden, ProxyStage.Policy, null, why);
}
