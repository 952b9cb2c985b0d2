using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Transport;

/// <summary>TLS 1.2 and 1.3 over any connection. On failure the inner connection is closed.</summary>
internal static class TlsTransport
{
    private const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    public static async ValueTask<DuplexConnection> ConnectAsync(
        DuplexConnection inner, TlsTrust trust, string serverName, CancellationToken cancellationToken)
    {
        string? explanation = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            EnabledSslProtocols = Versions,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = trust.Validator(why => explanation = why),
        };
        return await HandshakeAsync(inner, stream => stream.AuthenticateAsClientAsync(options, cancellationToken), () => explanation)
            .ConfigureAwait(false);
    }

    public static async ValueTask<DuplexConnection> AcceptAsync(
        DuplexConnection inner, SslStreamCertificateContext certificate, CancellationToken cancellationToken)
    {
        var options = new SslServerAuthenticationOptions { ServerCertificateContext = certificate, EnabledSslProtocols = Versions };
        return await HandshakeAsync(inner, stream => stream.AuthenticateAsServerAsync(options, cancellationToken), () => null)
            .ConfigureAwait(false);
    }

    private static async ValueTask<DuplexConnection> HandshakeAsync(DuplexConnection inner, Func<SslStream, Task> authenticate, Func<string?> explanation)
    {
        // handshakes compute for milliseconds: they must not hold up a loop
        if (inner is Linux.LinuxConnection onLoop) onLoop.ContinuesOnLoop = false;
        var gate = new TlsGate();
        var stream = new SslStream(new DuplexStream(inner, gate));
        try
        {
            await Task.Yield();
            await authenticate(stream).ConfigureAwait(false);
            return new TlsConnection(stream, inner, gate);
        }
        catch (Exception e)
        {
            inner.Abort();
            await stream.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException) throw;
            string detail = "TLS handshake failed: " + (explanation() ?? (e as ProxyException)?.Detail ?? Innermost(e).Message);
            throw new ProxyException(ProxyErrorReason.TlsFailed, ProxyStage.Tls, null, detail, e);
        }
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
