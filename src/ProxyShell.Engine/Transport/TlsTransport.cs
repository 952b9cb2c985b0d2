using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Transport;

/// <summary>TLS 1.2 and 1.3 over any connection.</summary>
internal static class TlsTransport
{
    public const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    // making one takes a while: it is made once for each certificate
    private static readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> ClientContexts = [];

    /// <summary>Shakes hands as a client, with a certificate if there is one. On failure the inner connection is closed.</summary>
    public static async ValueTask<DuplexConnection> ConnectAsync(
        DuplexConnection inner, TlsTrust trust, string serverName, X509Certificate2? certificate, CancellationToken cancellationToken)
    {
        string? explanation = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            EnabledSslProtocols = Versions,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = trust.Validator(why => explanation = why),
            ClientCertificateContext = certificate is null ? null : ClientContexts.GetValue(certificate, static c => SslStreamCertificateContext.Create(c, null, offline: true)),
        };
        try
        {
            return await HandshakeAsync(inner, stream => stream.AuthenticateAsClientAsync(options, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            inner.Abort();
            if (e is OperationCanceledException) throw;
            throw Failure(ProxyErrorReason.TlsFailed, explanation, e);
        }
    }

    /// <summary>
    /// Shakes hands as a server, with the options for the name that the client gives. On failure the inner connection stays open;
    /// <see cref="ProxyErrorReason.AuthenticationFailed"/> means that the client's certificate is not accepted.
    /// </summary>
    public static async ValueTask<DuplexConnection> AcceptAsync(
        DuplexConnection inner, Func<string, Action<string>, SslServerAuthenticationOptions> optionsFor, CancellationToken cancellationToken)
    {
        string? explanation = null;
        ValueTask<SslServerAuthenticationOptions> Select(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken token) =>
            new(optionsFor(hello.ServerName, why => explanation = why));
        try
        {
            return await HandshakeAsync(inner, stream => stream.AuthenticateAsServerAsync(Select, null, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw Failure(explanation is null ? ProxyErrorReason.TlsFailed : ProxyErrorReason.AuthenticationFailed, explanation, e);
        }
    }

    private static async ValueTask<DuplexConnection> HandshakeAsync(DuplexConnection inner, Func<SslStream, Task> authenticate)
    {
        // handshakes compute for milliseconds: they must not hold up a loop
        if (inner is Linux.LinuxConnection onLoop) onLoop.ContinuesOnLoop = false;
        var gate = new TlsGate();
        var records = new TlsRecordStream(inner, gate);
        var stream = new SslStream(records);
        try
        {
            await Task.Yield();
            await authenticate(stream).ConfigureAwait(false);
            return new TlsConnection(stream, records, inner, gate);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static ProxyException Failure(ProxyErrorReason reason, string? explanation, Exception e) =>
        new(reason, ProxyStage.Tls, null, "TLS handshake failed: " + (explanation ?? (e as ProxyException)?.Detail ?? Innermost(e).Message), e);

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
