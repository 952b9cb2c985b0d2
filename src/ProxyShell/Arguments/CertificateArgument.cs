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
    internal X509Certificate2 Resolve(SessionState session, SecureString? password)
    {
        if (_value is X509Certificate2 certificate)
        {
            return certificate.HasPrivateKey
                ? certificate
                : throw new FormatException($"The certificate '{certificate.Subject}' has no private key; a server needs one.");
        }
        string source = ToString();
        if (source.Length == 0) throw new FormatException("The certificate is empty: give the path of a PFX or PEM file, a thumbprint, or a certificate.");
        string path = session.Path.GetUnresolvedProviderPathFromPSPath(source);
        string? secret = password is null ? null : new NetworkCredential("", password).Password;
        return CertificateSource.Load(IsThumbprint(source) && !File.Exists(path) ? source : path, secret);
    }

    /// <summary>The user's text.</summary>
    public override string ToString() => _value?.ToString()?.Trim() ?? "";

    private static bool IsThumbprint(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigit);
}
