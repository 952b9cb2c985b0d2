using System.Management.Automation;
using System.Net;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using ProxyShell.Engine.Security;

namespace ProxyShell.Arguments;

/// <summary>A server certificate as users have it: the path of a PFX or PEM file, a thumbprint in a store, or the certificate itself.</summary>
public sealed class CertificateArgument
{
    private readonly object? _value;

    /// <summary>A path or a thumbprint.</summary>
    public CertificateArgument(string pathOrThumbprint) => _value = pathOrThumbprint;

    /// <summary>A certificate with its private key, or a file.</summary>
    public CertificateArgument(object value) => _value = value is PSObject wrapped ? wrapped.BaseObject : value;

    /// <summary>The certificate meant; paths are resolved as PowerShell does, which is not as the process does.</summary>
    /// <exception cref="FormatException">There is none, or it has no private key.</exception>
    internal X509Certificate2 Resolve(SessionState session, SecureString? password) => _value is X509Certificate2 certificate
        ? ServerCertificate.From(certificate).Certificate
        : CertificateSource.Load(Place(session), Text(password));

    /// <summary>The certificate as a listener shows it: one from a file is loaded anew when the file changes.</summary>
    /// <exception cref="FormatException">There is none, or it has no private key.</exception>
    internal ServerCertificate ResolveServer(SessionState session, SecureString? password) =>
        _value is not X509Certificate2 && Place(session) is var place && File.Exists(place)
            ? new ReloadingCertificate(place, Text(password))
            : ServerCertificate.From(Resolve(session, password));

    /// <summary>The user's text, or the certificate's subject.</summary>
    public override string ToString() => _value is X509Certificate2 certificate ? certificate.Subject : _value?.ToString()?.Trim() ?? "";

    private static string? Text(SecureString? password) => password is null ? null : new NetworkCredential("", password).Password;

    private string Place(SessionState session)
    {
        string source = ToString();
        if (source.Length == 0) throw new FormatException("The certificate is empty: give the path of a PFX or PEM file, a thumbprint, or a certificate.");
        string path = session.Path.GetUnresolvedProviderPathFromPSPath(source);
        return IsThumbprint(source) && !File.Exists(path) ? source : path;
    }

    private static bool IsThumbprint(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigit);
}
