using System.Net.Security;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Transport;

/// <summary>
/// How a service speaks TLS: the certificates it can show, of which the client's server name (SNI, RFC 6066 §3) chooses one, and the
/// client certificates it demands, if any. The first certificate is for clients that name nobody or somebody else.
/// </summary>
internal sealed class TlsServer(
    IReadOnlyList<ServerCertificate> certificates, ClientCertificatePolicy? clients, TimeProvider time, Action<string, bool> note)
{
    /// <summary>Shakes hands. On failure the inner connection stays open: a client whose certificate is refused may read an alert.</summary>
    public ValueTask<DuplexConnection> AcceptAsync(DuplexConnection inner, CancellationToken cancellationToken) =>
        TlsTransport.AcceptAsync(inner, OptionsFor, cancellationToken);

    // chosen within the handshake, on a thread of the pool: a certificate may have to be read from its file
    private SslServerAuthenticationOptions OptionsFor(string name, Action<string> explain) => new()
    {
        ServerCertificateContext = Choose(name.TrimEnd('.')).Context,
        EnabledSslProtocols = TlsTransport.Versions,
        ClientCertificateRequired = clients is not null,
        CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = clients?.Validator(explain),
    };

    // a name in full goes before a wildcard, whatever their order
    private LoadedCertificate Choose(string name)
    {
        LoadedCertificate first = certificates[0].Renewed(time, note);
        if (certificates.Count == 1) return first;
        LoadedCertificate[] all = [first, .. certificates.Skip(1).Select(certificate => certificate.Renewed(time, note))];
        return Array.Find(all, certificate => certificate.Names(name)) ?? Array.Find(all, certificate => certificate.Covers(name)) ?? first;
    }
}
